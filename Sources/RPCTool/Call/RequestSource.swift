package import Protobuf

/// The requests of a call in their text, cut and encoded one after the other.
package struct RequestSource {
    package enum Input {
        /// One message without any field.
        case empty
        /// Read as a whole before anything is sent, so that a mistake in it is found before.
        case text(String)
        /// Read while messages are sent.
        case reader(InputReader)
    }

    private let format: MessageText
    private let schema: MessageSchema
    private let reader: InputReader?
    private var splitter: MessageSplitter
    private var encoded: [[UInt8]] = []
    private var next = 0
    private var isAtEnd = false

    /// Throws `ToolFailure.invalid` for text that holds no messages of this type.
    package init(_ input: Input, _ format: MessageText, as schema: MessageSchema) throws(ToolFailure) {
        self.format = format
        self.schema = schema
        splitter = MessageSplitter(format.format)
        switch input {
        case .empty:
            reader = nil
            isAtEnd = true
            encoded = [[]]
        case .text(let text):
            reader = nil
            isAtEnd = true
            for piece in try splitter.take(text.utf8) + splitter.finish() {
                encoded.append(try format.encode(piece, as: schema))
            }
        case .reader(let reader): self.reader = reader
        }
    }

    /// The next request as it goes on the wire; nil when there is none. Throws `ToolFailure.invalid`.
    package mutating func request() async throws(ToolFailure) -> [UInt8]? {
        while next == encoded.count {
            guard !isAtEnd, let reader else { return nil }
            encoded.removeAll(keepingCapacity: true)
            next = 0
            let bytes = try await reader.next()
            isAtEnd = bytes.isEmpty
            for piece in try isAtEnd ? splitter.finish() : splitter.take(bytes) {
                encoded.append(try format.encode(piece, as: schema))
            }
        }
        next += 1
        return encoded[next - 1]
    }
}
