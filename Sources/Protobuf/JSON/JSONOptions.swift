/// How messages become JSON and back. Reading is the same whatever is set here, but for `types`.
public struct JSONOptions: Sendable {
    /// One member per line instead of one line.
    public var isPretty: Bool
    /// Writes fields without presence, repeated fields and maps also when they are empty.
    public var includesDefaults: Bool
    /// Writes names as in the `.proto` file instead of in camelCase. Both are accepted.
    public var usesProtoNames: Bool
    /// Writes the numbers of enums instead of their names. Both are accepted.
    public var writesEnumsAsNumbers: Bool
    /// Writes a `google.protobuf.Any` of a type that is not in `types` as base64 in "@value" instead of failing.
    public var writesUnknownAnyAsBase64: Bool
    /// The types that a `google.protobuf.Any` may hold, besides the well-known ones.
    public var types: SchemaPool

    public init(
        isPretty: Bool = false, includesDefaults: Bool = false, usesProtoNames: Bool = false,
        writesEnumsAsNumbers: Bool = false, writesUnknownAnyAsBase64: Bool = false, types: SchemaPool = .wellKnown
    ) {
        self.isPretty = isPretty
        self.includesDefaults = includesDefaults
        self.usesProtoNames = usesProtoNames
        self.writesEnumsAsNumbers = writesEnumsAsNumbers
        self.writesUnknownAnyAsBase64 = writesUnknownAnyAsBase64
        self.types = types
    }

    public static let `default` = JSONOptions()
}
