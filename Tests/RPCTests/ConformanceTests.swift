import HTTP2
import RPC
import Testing

/// What one section of a specification asks a server to do with certain bytes.
///
/// Sources: RFC 9113 (HTTP/2), RFC 7541 (HPACK), and the gRPC protocol text "gRPC over HTTP/2", by section.
private struct Rule: Sendable, CustomTestStringConvertible {
    let section: String
    let name: String
    /// Sent after the preface; a request is on stream 1.
    let bytes: [UInt8]
    let result: Result

    enum Result: Hashable, Sendable {
        /// An HTTP error.
        case http(String)
        /// A gRPC status.
        case grpc(String)
        /// A stream error of this code (RFC 9113 section 7).
        case reset(UInt32)
        /// A connection error of this code.
        case goAway(UInt32)
    }

    init(_ section: String, _ name: String, _ result: Result, _ bytes: [UInt8]...) {
        (self.section, self.name, self.result, self.bytes) = (section, name, result, bytes.flatMap(\.self))
    }

    var testDescription: String { "\(section) \(name)" }
}

// MARK: Bytes

private func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
    let length = payload.count
    return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags] + word(stream) + payload
}

private func word(_ word: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }

/// A literal field without indexing and without Huffman coding (RFC 7541 section 6.2.2).
private func field(_ name: String, _ value: String) -> [UInt8] {
    func text(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text.utf8.count
        guard rest >= 127 else { return [UInt8(rest)] + Array(text.utf8) }
        bytes.append(127)
        rest -= 127
        while rest >= 128 {
            bytes.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return bytes + [UInt8(rest)] + Array(text.utf8)
    }
    return [0] + text(name) + text(value)
}

/// The block of a proper request, with fields left out, replaced or added at the end.
private func block(
    without omitted: Set<String> = [], _ changes: [(String, String)] = [], first: [(String, String)] = []
) -> [UInt8] {
    let proper = [
        (":method", "POST"), (":scheme", "http"), (":path", "/test.Text/Echo"), (":authority", "localhost"),
        ("content-type", "application/grpc"), ("te", "trailers"),
    ]
    let names = Set(proper.map(\.0))
    let replaced = proper.filter { !omitted.contains($0.0) }.map { field in
        changes.first { $0.0 == field.0 } ?? field
    }
    return (first + replaced + changes.filter { !names.contains($0.0) }).flatMap { field($0.0, $0.1) }
}

private let message: [UInt8] = [0, 0, 0, 0, 2] + Array("hi".utf8)

/// HEADERS that end their block (and the stream, with flags 5).
private func headers(_ block: [UInt8], _ flags: UInt8 = 4, _ stream: UInt32 = 1) -> [UInt8] {
    frame(1, flags, stream, block)
}

/// A request with one message.
private func request(_ block: [UInt8], _ stream: UInt32 = 1) -> [UInt8] {
    headers(block, 4, stream) + frame(0, 1, stream, message)
}

private func with(_ changes: (String, String)...) -> [UInt8] { request(block(changes)) }
private func without(_ names: String...) -> [UInt8] { request(block(without: Set(names))) }

// MARK: Rules

private let protocolError: UInt32 = 1
private let flowControlError: UInt32 = 3
private let frameSizeError: UInt32 = 6
private let compressionError: UInt32 = 9

private let gRPCRules = [
    Rule("gRPC Requests", "a proper request", .grpc("0"), with()),
    Rule("gRPC Requests", "GET", .http("405"), with((":method", "GET"))),
    Rule("gRPC Requests", "HEAD", .http("405"), with((":method", "HEAD"))),
    Rule("gRPC Requests", "a method in lower case is another method", .http("405"), with((":method", "post"))),
    Rule("gRPC Requests", "a method that nobody knows", .http("405"), with((":method", "BREW"))),
    Rule(
        "gRPC Requests", "CONNECT", .http("405"),
        request(block(without: [":scheme", ":path"], [(":method", "CONNECT")]))),
    Rule("gRPC Requests", "GET without a body", .http("405"), headers(block([(":method", "GET")]), 5)),
    Rule("gRPC Requests", "no content type", .http("415"), without("content-type")),
    Rule("gRPC Requests", "an empty content type", .http("415"), with(("content-type", ""))),
    Rule("gRPC Requests", "content type of gRPC-Web", .http("415"), with(("content-type", "application/grpc-web"))),
    Rule("gRPC Requests", "content type JSON", .http("415"), with(("content-type", "application/json"))),
    Rule("gRPC Requests", "content type with a subtype", .grpc("0"), with(("content-type", "application/grpc+proto"))),
    Rule("gRPC Requests", "no te", .grpc("0"), without("te")),
    Rule(
        "gRPC Requests", "host in place of :authority", .grpc("0"),
        request(block(without: [":authority"], [("host", "x")]))),
    Rule("gRPC Requests", "an unknown method", .grpc("12"), with((":path", "/test.Text/Nothing"))),
    Rule("gRPC Requests", "an unknown service", .grpc("12"), with((":path", "/nobody.Nothing/Echo"))),
    Rule("gRPC Requests", "a path of one part", .grpc("12"), with((":path", "/Echo"))),
    Rule("gRPC Requests", "a path with one part more", .grpc("12"), with((":path", "/test.Text/Echo/"))),
    Rule("gRPC Requests", "a path in other case", .grpc("12"), with((":path", "/test.text/echo"))),
    Rule("gRPC Requests", "a query is part of the path", .grpc("12"), with((":path", "/test.Text/Echo?a=1"))),
    Rule(
        "gRPC Requests", "a path of 10 kB", .grpc("12"),
        with((":path", "/test.Text/" + String(repeating: "x", count: 10_000)))),
    Rule(
        "gRPC Requests", "a path past the limit of fields", .grpc("8"),
        headers(Array(block([(":path", "/" + String(repeating: "x", count: 17_000))]).prefix(16_000)), 0),
        frame(9, 4, 1, Array(block([(":path", "/" + String(repeating: "x", count: 17_000))]).dropFirst(16_000))),
        frame(0, 1, 1, message)),
    Rule("gRPC Requests", "a time-out without unit", .grpc("13"), with(("grpc-timeout", "100"))),
    Rule("gRPC Requests", "a negative time-out", .grpc("13"), with(("grpc-timeout", "-1S"))),
    Rule("gRPC Requests", "a time-out of nine digits", .grpc("13"), with(("grpc-timeout", "123456789S"))),
    Rule("gRPC Compression", "an unknown encoding", .grpc("12"), with(("grpc-encoding", "zip"))),
    Rule(
        "gRPC Requests", "a message and half another", .grpc("13"), headers(block()), frame(0, 1, 1, message + [0, 0])),
    Rule("gRPC Requests", "no message", .grpc("13"), headers(block(), 5)),
]

private let fieldRules =
    [
        Rule("RFC 9113 8.2.1", "a name in upper case", .reset(protocolError), with(("X-a", "1"))),
        Rule("RFC 9113 8.2.1", "a name with a space", .reset(protocolError), with(("x a", "1"))),
        Rule("RFC 9113 8.2.1", "an empty name", .reset(protocolError), with(("", "1"))),
        Rule("RFC 9113 8.2.1", "NUL in a value", .reset(protocolError), with(("x-a", "1\0"))),
        Rule("RFC 9113 8.2.1", "CR in a value", .reset(protocolError), with(("x-a", "1\r2"))),
        Rule("RFC 9113 8.2.1", "LF in a value", .reset(protocolError), with(("x-a", "1\n2"))),
        Rule("RFC 9113 8.2.2", "te but trailers", .reset(protocolError), with(("te", "gzip"))),
        Rule("RFC 9113 8.3", "a doubled pseudo-field", .reset(protocolError), request(block(first: [(":path", "/x")]))),
        Rule("RFC 9113 8.3", "an unknown pseudo-field", .reset(protocolError), request(block(first: [(":x", "1")]))),
        Rule(
            "RFC 9113 8.3", "a pseudo-field of responses", .reset(protocolError),
            request(block(first: [(":status", "200")]))),
        Rule(
            "RFC 9113 8.3", "a pseudo-field after others", .reset(protocolError), request(block(first: [("x-a", "1")]))),
        Rule("RFC 9113 8.3.1", "an empty path", .reset(protocolError), with((":path", ""))),
        Rule("RFC 9113 8.3.1", "a path without its slash", .reset(protocolError), with((":path", "test.Text/Echo"))),
        Rule("RFC 9113 8.1.1", "more data than content-length", .reset(protocolError), with(("content-length", "3"))),
        Rule("RFC 9113 8.1.1", "less data than content-length", .reset(protocolError), with(("content-length", "300"))),
        Rule("RFC 9113 8.1.1", "content-length as it is", .grpc("0"), with(("content-length", "7"))),
        Rule(
            "RFC 9113 8.1.1", "content-length that is no number", .reset(protocolError), with(("content-length", "x"))),
        Rule(
            "RFC 9113 8.1", "a second block that does not end the stream", .reset(protocolError), headers(block()),
            headers(field("x-a", "1"))),
        Rule(
            "RFC 9113 8.1", "a pseudo-field in trailers", .reset(protocolError), headers(block()),
            headers(field(":path", "/x"), 5)),
        Rule(
            "RFC 9113 8.1", "trailers", .grpc("0"), headers(block()), frame(0, 0, 1, message),
            headers(field("x-a", "1"), 5)),
    ]
    + ["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"].map {
        Rule("RFC 9113 8.2.2", "\($0)", .reset(protocolError), with(($0, "x")))
    }
    + [":method", ":scheme", ":path", ":authority"].map {
        Rule("RFC 9113 8.3.1", "no \($0)", .reset(protocolError), without($0))
    }

private let frameRules = [
    Rule(
        "RFC 9113 4.1", "frames of unknown types", .grpc("0"), frame(0xfa, 255, 0, [1]), frame(0xfb, 0, 1, []), with()),
    Rule(
        "RFC 9113 4.2", "a frame past the size limit", .goAway(frameSizeError),
        frame(6, 0, 0, [UInt8](repeating: 0, count: 16_385))),
    Rule("RFC 9113 5.1", "DATA on an idle stream", .goAway(protocolError), frame(0, 0, 1, message)),
    Rule("RFC 9113 5.1", "RST_STREAM of an idle stream", .goAway(protocolError), frame(3, 0, 1, word(8))),
    Rule("RFC 9113 5.1", "WINDOW_UPDATE of an idle stream", .goAway(protocolError), frame(8, 0, 1, word(1))),
    Rule("RFC 9113 5.1.1", "a stream of even number", .goAway(protocolError), request(block(), 2)),
    Rule("RFC 9113 6.1", "DATA on stream 0", .goAway(protocolError), frame(0, 0, 0, message)),
    Rule(
        "RFC 9113 6.1", "more padding than payload", .goAway(protocolError), headers(block()), frame(0, 8, 1, [9, 1])),
    Rule("RFC 9113 6.1", "padding", .grpc("0"), headers(block()), frame(0, 9, 1, [3] + message + [0, 0, 0])),
    Rule("RFC 9113 6.2", "HEADERS on stream 0", .goAway(protocolError), headers(block(), 4, 0)),
    Rule(
        "RFC 9113 6.4", "RST_STREAM of 3 bytes", .goAway(frameSizeError), headers(block()), frame(3, 0, 1, [0, 0, 0])),
    Rule("RFC 9113 6.4", "RST_STREAM of stream 0", .goAway(protocolError), frame(3, 0, 0, word(8))),
    Rule("RFC 9113 6.5", "SETTINGS on a stream", .goAway(protocolError), frame(4, 0, 1, [])),
    Rule(
        "RFC 9113 6.5", "an acknowledgement with a payload", .goAway(frameSizeError),
        frame(4, 1, 0, [0, 4, 0, 0, 0, 1])),
    Rule("RFC 9113 6.5", "SETTINGS of 5 bytes", .goAway(frameSizeError), frame(4, 0, 0, [0, 4, 0, 0, 0])),
    Rule("RFC 9113 6.5.2", "ENABLE_PUSH 2", .goAway(protocolError), frame(4, 0, 0, [0, 2] + word(2))),
    Rule("RFC 9113 6.5.2", "a window of 2^31", .goAway(flowControlError), frame(4, 0, 0, [0, 4] + word(1 << 31))),
    Rule("RFC 9113 6.5.2", "frames of 1 byte", .goAway(protocolError), frame(4, 0, 0, [0, 5] + word(1))),
    Rule(
        "RFC 9113 6.6", "PUSH_PROMISE of a client", .goAway(protocolError), headers(block()),
        frame(5, 4, 1, word(2) + block())),
    Rule("RFC 9113 6.7", "PING of 7 bytes", .goAway(frameSizeError), frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0])),
    Rule("RFC 9113 6.7", "PING on a stream", .goAway(protocolError), frame(6, 0, 1, word(0) + word(0))),
    Rule("RFC 9113 6.8", "GOAWAY on a stream", .goAway(protocolError), frame(7, 0, 1, word(0) + word(0))),
    Rule("RFC 9113 6.9", "WINDOW_UPDATE by 0", .goAway(protocolError), frame(8, 0, 0, word(0))),
    Rule("RFC 9113 6.9", "WINDOW_UPDATE of 3 bytes", .goAway(frameSizeError), frame(8, 0, 0, [0, 0, 1])),
    Rule(
        "RFC 9113 6.9.1", "a connection window past 2^31-1", .goAway(flowControlError),
        frame(8, 0, 0, word(0x7fff_ffff))),
    Rule(
        "RFC 9113 6.9.1", "a stream window past 2^31-1", .reset(flowControlError), headers(block()),
        frame(8, 0, 1, word(0x7fff_ffff))),
    Rule("RFC 9113 6.10", "CONTINUATION of nothing", .goAway(protocolError), headers(block()), frame(9, 4, 1, [])),
    Rule(
        "RFC 9113 6.10", "another frame within a block", .goAway(protocolError), headers(block(), 0),
        frame(6, 0, 0, word(0) + word(0))),
    Rule(
        "RFC 9113 6.10", "CONTINUATION on another stream", .goAway(protocolError), headers(block(), 0),
        frame(9, 4, 3, [])),
    Rule(
        "RFC 9113 6.10", "a block in three frames", .grpc("0"), headers(Array(block().prefix(5)), 0),
        frame(9, 0, 1, Array(block().dropFirst(5).prefix(40))), frame(9, 4, 1, Array(block().dropFirst(45))),
        frame(0, 1, 1, message)),
    Rule("RFC 7541 2.3.3", "an index past the tables", .goAway(compressionError), headers([0xff, 0x80, 0x01])),
    Rule("RFC 7541 6.1", "index 0", .goAway(compressionError), headers([0x80])),
    Rule(
        "RFC 7541 6.3", "a table larger than allowed", .goAway(compressionError),
        headers([0x3f, 0xe1, 0xff, 0x03] + block())),
    Rule(
        "RFC 7541 5.1", "an integer without end", .goAway(compressionError),
        headers([0xff] + [UInt8](repeating: 0xff, count: 10))),
    Rule(
        "RFC 7541 5.2", "Huffman padding of zeros", .goAway(compressionError), headers([0x00, 0x81, 0x00, 0x01, 0x31])),
    Rule(
        "RFC 9113 4.3", "a block that ends within a field", .goAway(compressionError),
        headers(Array(block().dropLast(3)))),
]

// MARK: Check

@Test(arguments: gRPCRules + fieldRules + frameRules) private func serversKeepTheRule(_ rule: Rule) async throws {
    try await Fixture.run(loops: 1) { fixture in
        let (result, next) = try await RawPeer.run(fixture.address) { peer in
            try peer.flush()
            // The client's session learns of the requests, to read the answers, but its own bytes stay here.
            let (stream, next) = (peer.request("/test.Text/Echo"), peer.request("/test.Text/Echo"))
            _ = try peer.session.produce()
            try peer.send(rule.bytes)
            while stream.closeCode == nil, peer.goAway == nil, !peer.isClosedByServer { try peer.hear() }
            if let code = peer.goAway { return (Rule.Result.goAway(code), nil as String?) }
            // A stream's error is nobody else's.
            try peer.send(request(block(), 3))
            while next.closeCode == nil, peer.goAway == nil, !peer.isClosedByServer { try peer.hear() }
            let answer = next.headers["grpc-status"]
            if let status = stream.headers["grpc-status"] { return (.grpc(status), answer) }
            if let status = stream.headers[":status"] { return (.http(status), answer) }
            return (.reset(stream.closeCode ?? 0), answer)
        }
        #expect(result == rule.result)
        if case .goAway = rule.result { return }
        #expect(next == "0", "the connection does not go on")
    }
}
