// The entry points to the JSON form of messages. Source: protobuf language guide, "JSON Mapping".

extension Message {
    /// The message as JSON.
    ///
    /// Fails where JSON cannot say it: a timestamp or duration out of its range, an `Any` of an unknown type.
    /// Unknown fields are left out.
    public func jsonString(options: JSONOptions = .default) throws(JSONError) -> String {
        try Self.schema.json(decoding: encoded(), options: options)
    }

    /// Reads a message from JSON. Names of fields may be in camelCase or as in the `.proto` file; a name that does not
    /// exist is an error, unless `options` say otherwise.
    public init(json text: String, options: JSONOptions = .default) throws(JSONError) {
        let bytes = try Self.schema.bytes(fromJSON: text, options: options)
        do {
            try self.init(decoding: bytes)
        } catch {
            throw JSONError(error.description)
        }
    }
}

extension MessageSchema {
    /// The JSON form of a message on the wire.
    public func json(decoding bytes: [UInt8], options: JSONOptions = .default) throws(JSONError) -> String {
        let message: DynamicMessage
        do {
            message = try DynamicMessage(decoding: bytes, as: self)
        } catch {
            throw JSONError(error.description)
        }
        return try message.jsonString(options: options)
    }

    /// The wire form of a message in JSON.
    public func bytes(fromJSON text: String, options: JSONOptions = .default) throws(JSONError) -> [UInt8] {
        try DynamicMessage(json: text, as: self, options: options).encoded()
    }
}

extension DynamicMessage {
    /// Reads a message from JSON text.
    public init(json text: String, as schema: MessageSchema, options: JSONOptions = .default) throws(JSONError) {
        let json = try JSONParser.parse(text, duplicates: options.duplicates)
        self = try DynamicMessage(json, as: schema, options: options)
    }

    /// Reads a message from JSON that has been taken apart.
    public init(_ json: JSONValue, as schema: MessageSchema, options: JSONOptions = .default) throws(JSONError) {
        self = try JSONReader(options: options).message(json, as: schema, level: 0)
    }

    /// Reads the messages that follow each other in the text, with or without space between them.
    public static func sequence(
        json text: String, as schema: MessageSchema, options: JSONOptions = .default
    ) throws(JSONError) -> [DynamicMessage] {
        var messages: [DynamicMessage] = []
        for value in try JSONParser.parseSequence(text, duplicates: options.duplicates) {
            messages.append(try DynamicMessage(value, as: schema, options: options))
        }
        return messages
    }

    /// The message as JSON that is not text yet.
    public func json(options: JSONOptions = .default) throws(JSONError) -> JSONValue {
        try JSONPrinter(options: options).value(of: self, level: 0)
    }

    /// The message as JSON text.
    public func jsonString(options: JSONOptions = .default) throws(JSONError) -> String {
        try json(options: options).text(pretty: options.isPretty)
    }
}

/// Levels of messages in JSON; as many as can be decoded.
let jsonNestingLimit = DecodingLimits.default.nesting

extension JSONError {
    /// The same error, seen from the message that has the field.
    func inside(_ field: String) -> JSONError {
        let joined = path.isEmpty ? field : path.hasPrefix("[") ? field + path : field + "." + path
        return JSONError(path: joined, reason, position: position)
    }
}
