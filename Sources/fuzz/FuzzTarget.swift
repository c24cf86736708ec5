/// One parser that sees bytes of strangers, and what must hold for whatever it is given.
struct FuzzTarget: Sendable {
    let name: String
    /// Valid inputs, from which the search starts.
    let seeds: [[UInt8]]
    /// No input is longer, in bytes.
    let maximumBytes: Int
    /// Takes one input; traps when something does not hold.
    let run: @Sendable ([UInt8]) -> Void

    init(_ name: String, maximumBytes: Int = 1024, seeds: [[UInt8]], run: @escaping @Sendable ([UInt8]) -> Void) {
        self.name = name
        self.maximumBytes = maximumBytes
        self.seeds = seeds
        self.run = run
    }

    /// For parsers of text, which gets only what is UTF-8.
    init(_ name: String, maximumBytes: Int = 1024, texts: [String], run: @escaping @Sendable (String) -> Void) {
        self.init(name, maximumBytes: maximumBytes, seeds: texts.map { Array($0.utf8) }) { bytes in
            guard let text = String(validating: bytes, as: UTF8.self) else { return }
            run(text)
        }
    }

    static let all: [FuzzTarget] = [
        .framing, .gzip, .deflate, .base64, .percentEncoding, .timeout, .requestFields, .responseFields, .http2Server,
        .http2Client, .protobuf, .json, .textFormat, .descriptorSet, .target, .serviceConfig,
    ]
}

/// What the parser promises. A trap and not an error, so that the search keeps the input.
func hold(_ condition: Bool, _ promise: @autoclosure () -> String) {
    precondition(condition, promise())
}
