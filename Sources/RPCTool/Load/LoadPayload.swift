package import Protobuf
package import RPCCore

/// What each call of a load sends, encoded: once for all calls, or anew for each when it has variables.
package struct LoadPayload: Sendable {
    /// Makes the messages instead of a template, when set.
    private let making: (@Sendable (Int) -> [[UInt8]])?
    private let template: PayloadTemplate
    private let headers: [PayloadTemplate]
    private let format: MessageText
    private let schema: MessageSchema
    private let hasSingleRequest: Bool
    private let constant: [[UInt8]]?
    private let constantMetadata: Metadata?

    /// Throws `ToolFailure.invalid` for text that holds no requests of this method.
    package init(
        _ text: String, headers: [String], _ format: MessageText, for method: MethodSchema
    ) throws(ToolFailure) {
        making = nil
        template = try PayloadTemplate(text)
        var headerTemplates: [PayloadTemplate] = []
        for header in headers { headerTemplates.append(try PayloadTemplate(header)) }
        self.headers = headerTemplates
        self.format = format
        schema = method.input
        hasSingleRequest = !method.clientStreams
        let first = try Self.messages(template.text(call: 0, worker: 0), format, method.input)
        guard !hasSingleRequest || !first.isEmpty else { throw .invalid("There is no request; {} is an empty one.") }
        let metadata = try Self.metadata(headerTemplates, call: 0, worker: 0)
        constant = template.hasVariables ? nil : first
        constantMetadata = headerTemplates.contains(where: \.hasVariables) ? nil : metadata
    }

    /// The same headers for all calls, and what a program makes: for loads whose own cost matters.
    ///
    /// - Parameter making: the encoded messages of the call of this number. Called on the threads that call.
    package init(
        _ metadata: Metadata, for method: MethodSchema, making: @escaping @Sendable (Int) -> [[UInt8]]
    ) throws(ToolFailure) {
        self.making = making
        template = try PayloadTemplate("")
        headers = []
        format = MessageText()
        schema = method.input
        hasSingleRequest = !method.clientStreams
        constant = nil
        constantMetadata = metadata
    }

    /// The messages of one call. A method that takes one message gets those of the text in turn.
    package func messages(call number: Int, worker: Int) throws(ToolFailure) -> [[UInt8]] {
        let all =
            if let making {
                making(number)
            } else if let constant {
                constant
            } else {
                try Self.messages(template.text(call: number, worker: worker), format, schema)
            }
        return hasSingleRequest ? [all[number % all.count]] : all
    }

    package func metadata(call number: Int, worker: Int) throws(ToolFailure) -> Metadata {
        if let constantMetadata { return constantMetadata }
        return try Self.metadata(headers, call: number, worker: worker)
    }

    private static func metadata(
        _ headers: [PayloadTemplate], call number: Int, worker: Int
    ) throws(ToolFailure) -> Metadata {
        var metadata = Metadata()
        for header in headers { try HeaderText.append(header.text(call: number, worker: worker), to: &metadata) }
        return metadata
    }

    private static func messages(
        _ text: String, _ format: MessageText, _ schema: MessageSchema
    ) throws(ToolFailure) -> [[UInt8]] {
        var splitter = MessageSplitter(format.format)
        var messages: [[UInt8]] = []
        for piece in try splitter.take(text.utf8) + splitter.finish() {
            messages.append(try format.encode(piece, as: schema))
        }
        return messages
    }
}
