import HTTP2
import Testing

/// One end of a connection without a socket, which notes what it hears.
private final class End: HTTP2SessionDelegate {
    private(set) var session: HTTP2Session!
    var streams: [Recorder] = []
    var heard: [String] = []

    init(_ role: HTTP2Role) { session = HTTP2Session(role, settings: HTTP2Settings(), delegate: self) }

    deinit { session.close(.cancel) }

    func makeStream() -> HTTP2Stream {
        streams.append(Recorder())
        return streams[streams.count - 1]
    }
    func sessionHasOutput() {}
    func receivedSettings() { heard.append("settings") }
    func receivedPing() {}
    func receivedPingAcknowledgement() { heard.append("pong") }
    func receivedGoAway(_ code: HTTP2ErrorCode, lastStreamID: Int32) { heard.append("goaway \(lastStreamID)") }
}

private final class Recorder: HTTP2Stream {
    var log: [String] = []
    var echoes = false
    private var data: [UInt8] = []

    override func receiveHeader(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        log.append("\(text(name))=\(text(value))")
    }
    override func receiveHeadersEnd(_ kind: HeadersKind) { log.append("\(kind)") }
    override func receiveData(_ bytes: Span<UInt8>) {
        for index in bytes.indices { data.append(bytes[index]) }
        consume(bytes.count)
    }
    override func receiveEnd() { log.append("end \(String(decoding: data, as: UTF8.self))") }
    override func closed(_ code: HTTP2ErrorCode) { log.append("closed \(code.rawValue)") }

    private func text(_ bytes: Span<UInt8>) -> String {
        String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }
}

private let requestHeaders: HeaderBlock = {
    var block = HeaderBlock()
    for (name, value) in [(":method", "POST"), (":scheme", "http"), (":path", "/a/b"), (":authority", "x")] {
        block.append(name, value)
    }
    return block
}()

private func block(_ fields: (String, String)...) -> HeaderBlock {
    var block = HeaderBlock()
    for (name, value) in fields { block.append(name, value) }
    return block
}

private func feed(_ bytes: [UInt8], to session: HTTP2Session) throws(HTTP2Error) {
    try session.receive(bytes.span)
}

/// Moves bytes both ways, `piece` at a time, until nothing is left.
private func exchange(_ a: End, _ b: End, piece: Int = .max) throws {
    var moved = true
    while moved {
        moved = false
        for (source, target) in [(a, b), (b, a)] {
            let bytes = try source.session.produce()
            var rest = bytes[...]
            while !rest.isEmpty {
                moved = true
                try feed(Array(rest.prefix(piece)), to: target.session)
                rest = rest.dropFirst(piece)
            }
        }
    }
}

@Test(arguments: [1, 2, 3, 7, 9, 10, 24, 1000]) func aCallSurvivesEveryPieceSize(_ piece: Int) throws {
    let (client, server) = (End(.client), End(.server))
    let request = Recorder()
    #expect(client.session.submitRequest(request, requestHeaders))
    request.write(OutboundChunk(prefix: 0x6162_63, prefixCount: 3, body: Array("def".utf8)))
    request.write(OutboundChunk(Array("ghi".utf8)))
    request.finish()
    try exchange(client, server, piece: piece)
    let served = try #require(server.streams.first)
    #expect(served.log == [":method=POST", ":scheme=http", ":path=/a/b", ":authority=x", "initial", "end abcdefghi"])
    served.respond(block((":status", "200")), endsStream: false)
    served.write(OutboundChunk(Array("answer".utf8)))
    served.finish(trailers: block(("grpc-status", "0")))
    try exchange(client, server, piece: piece)
    #expect(request.log == [":status=200", "initial", "grpc-status=0", "trailing", "end answer", "closed 0"])
    #expect(served.log.last == "closed 0")
    #expect(client.session.openStreams.isEmpty && server.session.openStreams.isEmpty)
    #expect(client.heard == ["settings"] && server.heard == ["settings"])
}

@Test func aResponseOfOnlyHeaders() throws {
    let (client, server) = (End(.client), End(.server))
    let request = Recorder()
    #expect(client.session.submitRequest(request, requestHeaders))
    request.finish()
    try exchange(client, server)
    server.streams[0].respond(block((":status", "200"), ("grpc-status", "5")), endsStream: true)
    try exchange(client, server)
    #expect(request.log == [":status=200", "grpc-status=5", "initial", "end ", "closed 0"])
}

@Test func aServerThatAnswersEarlyStopsTheRequest() throws {
    let (client, server) = (End(.client), End(.server))
    let request = Recorder()
    #expect(client.session.submitRequest(request, requestHeaders))
    request.write(OutboundChunk([1]))
    try exchange(client, server)
    server.streams[0].respond(block((":status", "200"), ("grpc-status", "5")), endsStream: true)
    try exchange(client, server)
    #expect(request.log.last == "closed 0" && !request.isOpen)
}

@Test func aResetReachesTheOtherSide() throws {
    let (client, server) = (End(.client), End(.server))
    let request = Recorder()
    #expect(client.session.submitRequest(request, requestHeaders))
    try exchange(client, server)
    #expect(request.headersWereSent)
    request.reset(.cancel)
    try exchange(client, server)
    #expect(request.log == ["closed 8"] && server.streams[0].log.last == "closed 8")
}

@Test func theWindowHoldsDataBack() throws {
    final class Slow: HTTP2Stream {
        var received = 0
        override func receiveData(_ bytes: Span<UInt8>) { received += bytes.count }
    }
    final class SlowEnd: HTTP2SessionDelegate {
        var session: HTTP2Session!
        let stream = Slow()
        init() { session = HTTP2Session(.server, settings: HTTP2Settings(), delegate: self) }
        deinit { session.close(.cancel) }
        func makeStream() -> HTTP2Stream { stream }
        func sessionHasOutput() {}
        func receivedSettings() {}
        func receivedPing() {}
        func receivedPingAcknowledgement() {}
        func receivedGoAway(_ code: HTTP2ErrorCode, lastStreamID: Int32) {}
    }
    let client = End(.client)
    let server = SlowEnd()
    func exchange() throws {
        for _ in 0..<20 {
            try feed(try client.session.produce(), to: server.session)
            try feed(try server.session.produce(), to: client.session)
        }
    }
    try exchange()
    let request = Recorder()
    #expect(client.session.submitRequest(request, requestHeaders))
    let window = Int(HTTP2Settings().streamWindowBytes)
    request.write(OutboundChunk([UInt8](repeating: 7, count: window + 100_000)))
    try exchange()
    #expect(server.stream.received == window && request.outboundBytes == 100_000)
    server.stream.consume(window)
    try exchange()
    #expect(server.stream.received == window + 100_000 && request.outboundBytes == 0)
}

@Test func aGracefulEndServesWhatIsOpen() throws {
    let (client, server) = (End(.client), End(.server))
    let request = Recorder()
    #expect(client.session.submitRequest(request, requestHeaders))
    request.finish()
    try exchange(client, server)
    server.session.submitShutdownNotice()
    server.session.submitPing()
    try exchange(client, server)
    server.session.submitGoAway()
    try exchange(client, server)
    #expect(client.heard == ["settings", "goaway 2147483647", "goaway 1"] && server.heard == ["settings", "pong"])
    #expect(!client.session.submitRequest(Recorder(), requestHeaders))
    #expect(!server.session.isFinished)
    server.streams[0].respond(block((":status", "200")), endsStream: true)
    try exchange(client, server)
    #expect(server.session.isFinished && client.session.isFinished)
}

@Test func closingTellsEveryOpenStream() throws {
    let (client, server) = (End(.client), End(.server))
    let requests = (0..<5).map { _ in Recorder() }
    for request in requests { #expect(client.session.submitRequest(request, requestHeaders)) }
    try exchange(client, server)
    server.session.close(.cancel)
    server.session.close(.cancel)
    client.session.close(.internalError)
    #expect(server.streams.allSatisfy { $0.log.last == "closed 8" } && server.streams.count == 5)
    #expect(requests.allSatisfy { $0.log == ["closed 2"] })
}

@Test func interimResponsesAreToldApart() throws {
    let (client, server) = (End(.client), End(.server))
    let request = Recorder()
    #expect(client.session.submitRequest(request, requestHeaders))
    request.finish()
    try exchange(client, server)
    // HEADERS on stream 1 with END_HEADERS, ":status: 103" as a literal without indexing (RFC 7541 section 6.2.2).
    try feed(([0, 0, 5, 1, 4, 0, 0, 0, 1] + [0x08, 3] + Array("103".utf8)), to: client.session)
    server.streams[0].respond(block((":status", "200")), endsStream: true)
    try exchange(client, server)
    #expect(request.log == [":status=103", "informational", ":status=200", "initial", "end ", "closed 0"])
}

@Test func headersPastTheLimitAreNotDelivered() throws {
    let (client, server) = (End(.client), End(.server))
    try exchange(client, server)
    var headers = requestHeaders
    for index in 0..<10 { headers.append("x-\(index)", String(repeating: "v", count: 2000)) }
    let request = Recorder()
    #expect(client.session.submitRequest(request, headers))
    request.finish()
    try exchange(client, server)
    #expect(server.streams[0].headersTooLarge)
    #expect(server.streams[0].log.count < 4 + 8 + 2)
}

@Test func randomBytesNeverTrap() {
    var random = SystemRandomNumberGenerator()
    let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
    for round in 0..<500 {
        let server = End(.server)
        let noise = (0..<200).map { _ in UInt8.random(in: 0...(round % 2 == 0 ? 255 : 10), using: &random) }
        do throws(HTTP2Error) {
            try feed(preface + noise, to: server.session)
            _ = try server.session.produce()
        } catch {
            // Refused, as most noise is.
        }
    }
}

@Test(arguments: [(3, false), (15, false), (16, true), (1000, true)])
func aHeaderListFarOverTheLimitEndsTheConnection(_ repetitions: Int, _ ends: Bool) throws {
    let server = End(.server)
    // One field of 4,001 bytes for the table, and then one byte for each repetition (RFC 7541 section 6.1). 16 KiB are
    // announced; what is past that is dropped, and past four times of it there is no going on.
    let field = [0x40, 1, 0x78, 0x7F, 0xA1, 0x1E] + [UInt8](repeating: 0x61, count: 4000)
    let block: [UInt8] = [0x83, 0x86, 0x84, 0x41, 1, 0x78] + field + [UInt8](repeating: 0xBE, count: repetitions)
    let header = [0, UInt8(block.count >> 8), UInt8(block.count & 255), 1, 5, 0, 0, 0, 1]
    try feed(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0], to: server.session)
    guard ends else {
        try feed(header + block, to: server.session)
        #expect(server.streams[0].headersTooLarge == (repetitions > 3) && server.streams[0].log.contains("initial"))
        #expect(server.streams[0].log.count { $0.hasPrefix("x=") } == 4)
        return
    }
    let error = #expect(throws: HTTP2Error.self) { try feed(header + block, to: server.session) }
    #expect(error == HTTP2Error(.enhanceYourCalm, "a header list far over the limit"))
    let farewell = String(decoding: try server.session.produce(), as: UTF8.self)
    #expect(farewell.hasSuffix("a header list far over the limit"))
}
