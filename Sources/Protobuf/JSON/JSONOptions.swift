/// How messages become JSON and back. The defaults are those of the canonical mapping.
///
/// Reading accepts, whatever is set here: names in camelCase and as in the `.proto` file, numbers as strings, enums by
/// name and by number, base64 in both alphabets.
public struct JSONOptions: Sendable {
    /// What reading does when an object has one name, or a map one key, twice.
    public enum Duplicates: Sendable {
        /// It is an error, since readers differ in which of the two they take.
        case refuse
        case takeLast
    }

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
    /// Reading skips fields that the schema does not name, and enum values that it does not name, with the field, element
    /// or entry that holds them, instead of failing.
    public var ignoresUnknownFields: Bool
    /// `order_id` and `orderId` are one name. Two members of one oneof are refused in any case.
    public var duplicates: Duplicates
    /// The types that a `google.protobuf.Any` may hold, besides the well-known ones.
    public var types: SchemaPool

    public init(
        isPretty: Bool = false, includesDefaults: Bool = false, usesProtoNames: Bool = false,
        writesEnumsAsNumbers: Bool = false, writesUnknownAnyAsBase64: Bool = false, ignoresUnknownFields: Bool = false,
        duplicates: Duplicates = .refuse, types: SchemaPool = .wellKnown
    ) {
        self.isPretty = isPretty
        self.includesDefaults = includesDefaults
        self.usesProtoNames = usesProtoNames
        self.writesEnumsAsNumbers = writesEnumsAsNumbers
        self.writesUnknownAnyAsBase64 = writesUnknownAnyAsBase64
        self.ignoresUnknownFields = ignoresUnknownFields
        self.duplicates = duplicates
        self.types = types
    }

    public static let `default` = JSONOptions()
}
