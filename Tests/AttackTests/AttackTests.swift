import Compression
import EventLoop
import Testing

private let streamClosed: UInt32 = 0x5
private let enhanceYourCalm: UInt32 = 0xb

/// Whoever attacks is disconnected with a reason, others are served, and the server's memory stays bounded.
@Suite struct AttackTests {
    /// Sends what `make` gives for stream 1, 3, 5 … `count` times, and then listens until the server hangs up.
    private func flood(
        _ victim: Victim, count: Int, _ make: @escaping @Sendable (UInt32) -> [UInt8]
    ) async throws -> Attacker.GoAway? {
        let (goAway, damage) = try await victim.suffer {
            try await Attacker.run(victim.port) { attacker in
                var burst: [UInt8] = []
                for number in 0..<count where !attacker.isDisconnected {
                    burst += make(UInt32(number * 2 + 1))
                    if burst.count > 8 << 10 || number == count - 1 {
                        attacker.send(burst)
                        burst = []
                    }
                }
                attacker.listen()
                #expect(attacker.isDisconnected, "the attacker is still welcome")
                return attacker.goAway
            }
        }
        #expect(damage.isBearable, "\(damage)")
        return goAway
    }

    /// Floods that end with GOAWAY, and what it says.
    enum Flood: String, CaseIterable, Sendable {
        case rapidReset, madeYouResetByWindow, madeYouResetByData, hundredThousandStreams, emptyData, settings, pings
        case priorities, continuations

        var reason: String {
            switch self {
            case .rapidReset, .madeYouResetByWindow, .hundredThousandStreams: "too many resets"
            case .madeYouResetByData: "DATA: stream in half-closed(remote)"
            case .emptyData, .settings, .priorities: "too many frames that carry nothing"
            case .pings: "too_many_pings"
            case .continuations: "Too many CONTINUATION frames following a HEADER frame"
            }
        }

        var code: UInt32 { self == .madeYouResetByData ? streamClosed : enhanceYourCalm }

        func frames(_ stream: UInt32) -> [UInt8] {
            switch self {
            case .rapidReset: Attacker.open(stream) + Attacker.frame(3, 0, stream, Attacker.bytes(8))
            case .madeYouResetByWindow:
                // A window that overflows is the stream's error (RFC 9113 section 6.9.1): the server has to reset it.
                Attacker.open(stream) + Attacker.frame(8, 0, stream, Attacker.bytes(0x7fff_ffff))
            case .madeYouResetByData:
                // Data on a stream that has ended.
                Attacker.open(stream) + Attacker.data(stream, [0, 0, 0, 0, 0], ends: true) + Attacker.data(stream, [1])
            case .hundredThousandStreams: Attacker.open(stream)
            case .emptyData: (stream == 1 ? Attacker.open(1) : []) + Attacker.frame(0, 0, 1, [])
            case .settings: Attacker.frame(4, 0, 0, [])
            case .pings: Attacker.frame(6, 0, 0, Attacker.bytes(0) + Attacker.bytes(stream))
            case .priorities: Attacker.frame(2, 0, stream, Attacker.bytes(0) + [16])
            case .continuations: stream == 1 ? Attacker.open(1, 0) : Attacker.frame(9, 0, 1, [])
            }
        }
    }

    @Test(arguments: Flood.allCases) func floodsAreCutOff(_ flood: Flood) async throws {
        try await Victim.run { victim in
            let goAway = try await self.flood(victim, count: 100_000) { flood.frames($0) }
            #expect(goAway?.code == flood.code && goAway?.reason == flood.reason, "\(goAway as Any)")
        }
    }

    /// Attacks by requests that cannot be taken, on many streams; each is answered, until there are too many.
    private func attackByRequests(
        _ count: Int, reason: String, endsWith text: String, _ make: @escaping @Sendable (UInt32) -> [UInt8]
    ) async throws {
        try await Victim.run { victim in
            let (result, damage) = try await victim.suffer {
                try await Attacker.run(victim.port) { attacker in
                    for number in 0..<count where !attacker.isDisconnected {
                        attacker.send(make(UInt32(number * 2 + 1)))
                    }
                    attacker.listen()
                    return (attacker.goAway, attacker.headerFrames, attacker.isDisconnected)
                }
            }
            let (goAway, answered, isDisconnected) = result
            #expect(isDisconnected && damage.isBearable, "\(damage)")
            #expect(goAway?.code == enhanceYourCalm && goAway?.reason.contains(text) == true, "\(goAway as Any)")
            #expect(answered < count)
            #expect(try await victim.hasRefused(for: reason))
        }
    }

    @Test func announcedGiantsAreRefusedAtOnce() async throws {
        try await attackByRequests(
            2000, reason: "bad_requests", endsWith: "too many bad requests, the last: message of 4294967295 bytes"
        ) { stream in Attacker.open(stream) + Attacker.data(stream, [0, 255, 255, 255, 255]) }
    }

    @Test func bombsDoNotGoOff() async throws {
        // 32 MiB of zeros in some 32 KiB, a thousand times.
        let bomb = Gzip.compress([UInt8](repeating: 0, count: 32 << 20), level: 9)
        let message = [1] + Attacker.bytes(UInt32(bomb.count)) + bomb
        try await attackByRequests(
            1000, reason: "bad_requests", endsWith: "too many bad requests, the last: a message exceeds the limit"
        ) { stream in Attacker.open(stream, encoding: "gzip") + Attacker.data(stream, message, ends: true) }
    }

    @Test func headersThatUnpackToMuchAreNotUnpacked() async throws {
        // One entry of 4,000 bytes for the table, and then thousands of references to it of one byte each.
        let entry = [0x40, 1, 0x78] + [0x7F, 0xA1, 0x1E] + [UInt8](repeating: 0x61, count: 4000)
        let bomb = Attacker.requestBlock() + [UInt8](repeating: 0xBE, count: 12_000)
        try await Victim.run { victim in
            let (goAways, damage) = try await victim.suffer {
                var goAways: [Attacker.GoAway?] = []
                for _ in 0..<50 {
                    let goAway = try await Attacker.run(victim.port) { attacker in
                        attacker.send(Attacker.frame(1, 5, 1, Attacker.requestBlock() + entry))
                        for number in 1..<100 {
                            attacker.send(Attacker.frame(1, 5, UInt32(number * 2 + 1), bomb))
                        }
                        attacker.listen()
                        #expect(attacker.isDisconnected, "the attacker is still welcome")
                        return attacker.goAway
                    }
                    goAways.append(goAway)
                }
                return goAways
            }
            let seen = goAways.compactMap { $0 }
            #expect(
                !seen.isEmpty
                    && seen.allSatisfy { $0.code == enhanceYourCalm && $0.reason == "a header list far over the limit" },
                "\(seen)")
            #expect(damage.isBearable, "\(damage)")
        }
    }

    @Test func messagesThatAreBegunAndNeverFinishedAreBounded() async throws {
        // The server's limit is 30 s, for the four that have memory set aside; the others count with them.
        // Less than the first window of a stream, which is wider only when the server's SETTINGS are acknowledged.
        let part = [0] + Attacker.bytes(4 << 20) + [UInt8](repeating: 7, count: 60 << 10)
        try await attackByRequests(
            250, reason: "bad_requests",
            endsWith:
                "the last: the request was begun and not continued by 16384 bytes, or to its end, for 30.0 seconds"
        ) { stream in Attacker.open(stream) + Attacker.data(stream, part) }
    }

    @Test func responsesThatNobodyMakesRoomForAreBounded() async throws {
        // A window of nothing, and requests for 25 MB of responses: the server makes 16 MiB of them, refuses the rest, and
        // waits 30 s.
        let settings = Attacker.frame(4, 0, 0, [0, 4] + Attacker.bytes(0))
        let message = Self.echo(100 << 10)
        try await Victim.run { victim in
            let (result, damage) = try await victim.suffer {
                try await Attacker.run(victim.port) { attacker in
                    attacker.send(settings)
                    for number in 0..<250 {
                        let stream = UInt32(number * 2 + 1)
                        attacker.send(Attacker.open(stream) + Attacker.data(stream, message, ends: true))
                    }
                    attacker.listen()
                    return (attacker.goAway, attacker.headerFrames, attacker.isDisconnected)
                }
            }
            #expect(result.1 == 250 && result.2 && damage.isBearable, "\(result) \(damage)")
            #expect(result.0?.code == enhanceYourCalm)
            #expect(result.0?.reason.contains("bytes of responses were left unread") == true, "\(result.0 as Any)")
            #expect(try await victim.hasRefused(for: "unread_responses"))
        }
    }

    @Test func whoAsksAndNeverReadsIsCutOff() async throws {
        // All windows wide open, and nothing read: nothing can be said any more, so the reason is in log and metrics.
        let settings = Attacker.frame(4, 0, 0, [0, 4] + Attacker.bytes(0x7fff_ffff))
        let window = Attacker.frame(8, 0, 0, Attacker.bytes(0x7f00_0000))
        let message = Self.echo(100 << 10)
        try await Victim.run { victim in
            let (isCutOff, damage) = try await victim.suffer {
                try await Attacker.run(victim.port) { attacker in
                    attacker.sendUnread(settings + window)
                    for number in 0..<250 {
                        let stream = UInt32(number * 2 + 1)
                        attacker.sendUnread(Attacker.open(stream) + Attacker.data(stream, message, ends: true))
                    }
                    return attacker.isHungUp(within: .seconds(45))
                }
            }
            #expect(isCutOff && damage.isBearable, "\(damage)")
            #expect(try await victim.hasRefused(for: "unread_responses"))
        }
    }

    /// A framed request whose payload comes back.
    private static func echo(_ count: Int) -> [UInt8] {
        let echo = [0x1a] + varint(count) + [UInt8](repeating: 7, count: count)
        return [0] + Attacker.bytes(UInt32(echo.count)) + echo
    }

    /// The beginning of a message's length.
    private static func varint(_ value: Int) -> [UInt8] {
        value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + varint(value >> 7)
    }

    /// How a connection may begin and not go on, and what it is told.
    enum Opening: CaseIterable, Sendable {
        case nothing, halfAPreface, headersWithoutEnd, clientHello, http1

        var bytes: [UInt8] {
            switch self {
            case .nothing: []
            case .halfAPreface: Array("PRI * HTTP/2.0\r\n".utf8)
            case .headersWithoutEnd: Attacker.preface + Attacker.open(1, 0)
            case .clientHello: [0x16, 3, 1, 2, 0, 1]
            case .http1: Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
            }
        }

        /// In metrics and log.
        var reason: String {
            switch self {
            case .nothing, .halfAPreface: "silence"
            case .headersWithoutEnd: "unfinished_headers"
            case .clientHello: "not_http2"
            case .http1: "http1"
            }
        }

        var goAway: Attacker.GoAway? {
            switch self {
            case .nothing, .halfAPreface: .init(code: 1, reason: "the client's preface did not come in time")
            case .headersWithoutEnd:
                .init(code: enhanceYourCalm, reason: "a header block was begun and not finished in time")
            case .clientHello: .init(code: 1, reason: "the first bytes are not the preface of HTTP/2")
            case .http1: nil
            }
        }
    }

    @Test(arguments: Opening.allCases) func manyWhoSayHalfAndFallSilentAreForgotten(_ opening: Opening) async throws {
        try await Victim.run { victim in
            let (_, damage) = try await victim.suffer {
                try await withThrowingTaskGroup { tasks in
                    for number in 0..<4 {
                        tasks.addTask {
                            try await Attacker.run(victim.port, prefaced: false) { attacker in
                                attacker.send(opening.bytes)
                                // The server's limit is 10 s.
                                attacker.listen()
                                #expect(attacker.isDisconnected, "\(number) is still waited for")
                                #expect(attacker.goAway == opening.goAway)
                                #expect(attacker.text.hasPrefix("HTTP/1.1 505 ") == (opening == .http1))
                            }
                        }
                    }
                    try await tasks.waitForAll()
                }
            }
            #expect(damage.isBearable, "\(damage)")
            #expect(try await victim.hasRefused(4, for: opening.reason))
        }
    }
}
