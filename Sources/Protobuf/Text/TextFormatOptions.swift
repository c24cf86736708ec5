/// How messages become text format and back.
public struct TextFormatOptions: Sendable {
    /// Writes fields without presence also when they are empty. Repeated fields and maps have no form for "empty".
    public var includesDefaults: Bool
    /// Reads over fields that the schema does not know, instead of failing.
    public var ignoresUnknownFields: Bool
    /// The types that a `google.protobuf.Any` may hold, besides the well-known ones.
    public var types: SchemaPool

    public init(
        includesDefaults: Bool = false, ignoresUnknownFields: Bool = false, types: SchemaPool = .wellKnown
    ) {
        self.includesDefaults = includesDefaults
        self.ignoresUnknownFields = ignoresUnknownFields
        self.types = types
    }

    public static let `default` = TextFormatOptions()
}

extension DynamicMessage {
    /// Reads a message from text format. Source: protobuf documentation, "Text Format Language Specification".
    ///
    /// Extensions and groups are not known here: their names are unknown fields.
    public init(
        text: String, as schema: MessageSchema, options: TextFormatOptions = .default
    ) throws(TextFormatError) {
        self = try TextFormatParser.parse(text, as: schema, options: options)
    }

    /// The message in text format, one field per line. Unknown fields are left out.
    ///
    /// An `Any` whose type is not known, or whose bytes are not of its type, is written as its two fields.
    public func textFormat(options: TextFormatOptions = .default) throws(TextFormatError) -> String {
        var printer = TextFormatPrinter(options: options)
        try printer.write(self)
        return printer.output
    }
}
