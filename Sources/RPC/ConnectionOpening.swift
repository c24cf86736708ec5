/// Tells by the first bytes of a connection in the clear what its client speaks. Pure.
///
/// Source: RFC 9113 section 3.4 (the preface of HTTP/2), RFC 9112 section 3 (the request line of HTTP/1.1).
struct ConnectionOpening {
    enum Verdict: Equatable {
        /// More bytes have to come.
        case undecided
        case http2
        /// A request of HTTP/1.x, whole or too long.
        case http1
        case other
    }

    /// All that has come.
    private(set) var bytes: [UInt8] = []

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    static let longestMethod = 20
    static let longestHead = 8 << 10

    /// Says it when bytes have come. Ask no more once it is decided.
    mutating func receive(_ piece: Span<UInt8>) -> Verdict {
        let known = bytes.count
        unsafe piece.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        let start = bytes.prefix(Self.preface.count)
        if Self.preface.starts(with: start) { return start.count == Self.preface.count ? .http2 : .undecided }
        let method = bytes.prefix(Self.longestMethod).prefix { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") }
        guard !method.isEmpty, !method.elementsEqual("PRI".utf8) else { return .other }
        guard method.count < bytes.count else { return method.count < Self.longestMethod ? .undecided : .other }
        guard bytes[method.count] == UInt8(ascii: " ") else { return .other }
        return bytes.count > Self.longestHead || hasEmptyLine(after: known) ? .http1 : .undecided
    }

    private func hasEmptyLine(after known: Int) -> Bool {
        var start = max(0, known - 3)
        while start + 4 <= bytes.count {
            if bytes[start..<start + 4].elementsEqual("\r\n\r\n".utf8) { return true }
            start += 1
        }
        return false
    }

    /// What a request of HTTP/1.x is told. Source: RFC 9110 section 15.6.6.
    static let http1Answer: [UInt8] = {
        let body = "This port speaks gRPC: HTTP/2 from the first byte, without upgrade.\n"
        return Array(
            ("HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Type: text/plain; charset=utf-8\r\n"
                + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n" + body).utf8)
    }()
}
