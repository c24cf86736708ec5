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

    @Test func announcedGiantsAreRefusedAtOnce() async throws {
        try await Victim.run { victim in
            let (answered, damage) = try await victim.suffer {
                try await Attacker.run(victim.port) { attacker in
                    for number in 0..<200 {
                        let stream = UInt32(number * 2 + 1)
                        attacker.send(Attacker.open(stream) + Attacker.data(stream, [0, 255, 255, 255, 255]))
                    }
                    attacker.listen { attacker.headerFrames >= 200 }
                    return attacker.headerFrames
                }
            }
            #expect(answered == 200 && damage.isBearable, "\(answered) \(damage)")
        }
    }

    @Test func bombsDoNotGoOff() async throws {
        // 32 MiB of zeros in some 32 KiB, a hundred times.
        let bomb = Gzip.compress([UInt8](repeating: 0, count: 32 << 20), level: 9)
        let message = [1] + Attacker.bytes(UInt32(bomb.count)) + bomb
        try await Victim.run { victim in
            let (answered, damage) = try await victim.suffer {
                try await Attacker.run(victim.port) { attacker in
                    for number in 0..<100 {
                        let stream = UInt32(number * 2 + 1)
                        attacker.send(
                            Attacker.open(stream, encoding: "gzip") + Attacker.data(stream, message, ends: true))
                    }
                    attacker.listen { attacker.headerFrames >= 100 }
                    return attacker.headerFrames
                }
            }
            #expect(answered == 100 && damage.isBearable, "\(answered) \(damage)")
        }
    }

    @Test func messagesThatAreBegunAndNeverFinishedAreBounded() async throws {
        let part = [0] + Attacker.bytes(4 << 20) + [UInt8](repeating: 7, count: 100 << 10)
        try await Victim.run { victim in
            let (_, damage) = try await victim.suffer {
                try await Attacker.run(victim.port) { attacker in
                    for number in 0..<250 {
                        let stream = UInt32(number * 2 + 1)
                        attacker.send(Attacker.open(stream) + Attacker.data(stream, part))
                    }
                }
            }
            #expect(damage.isBearable, "\(damage)")
        }
    }

    @Test func responsesThatNobodyReadsAreBounded() async throws {
        // A window of nothing, and requests for 25 MB of responses: the server makes 16 MiB of them and refuses the rest.
        let settings = Attacker.frame(4, 0, 0, [0, 4] + Attacker.bytes(0))
        let payload = [UInt8](repeating: 7, count: 100 << 10)
        let echo = [0x1a] + Self.varint(payload.count) + payload
        let message = [0] + Attacker.bytes(UInt32(echo.count)) + echo
        try await Victim.run { victim in
            let (refused, damage) = try await victim.suffer {
                try await Attacker.run(victim.port) { attacker in
                    attacker.send(settings)
                    for number in 0..<250 {
                        let stream = UInt32(number * 2 + 1)
                        attacker.send(Attacker.open(stream) + Attacker.data(stream, message, ends: true))
                    }
                    attacker.listen { attacker.headerFrames >= 250 }
                    return attacker.headerFrames
                }
            }
            #expect(refused == 250 && damage.isBearable, "\(refused) \(damage)")
        }
    }

    /// The beginning of a message's length.
    private static func varint(_ value: Int) -> [UInt8] {
        value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + varint(value >> 7)
    }

    @Test func manyWhoSayHalfAndFallSilentAreForgotten() async throws {
        try await Victim.run { victim in
            let (_, damage) = try await victim.suffer {
                try await withThrowingTaskGroup { tasks in
                    for number in 0..<6 {
                        tasks.addTask {
                            try await Attacker.run(victim.port, prefaced: false) { attacker in
                                switch number % 3 {
                                case 0: attacker.send(Array("PRI * HTTP/2.0\r\n".utf8))
                                case 1: attacker.send(Attacker.preface + Attacker.open(1, 0))
                                default: break
                                }
                                // The server's limit is 10 s.
                                attacker.listen()
                                #expect(attacker.isDisconnected, "\(number) is still waited for")
                                if number % 3 == 1 {
                                    #expect(attacker.goAway?.code == enhanceYourCalm, "\(attacker.goAway as Any)")
                                }
                            }
                        }
                    }
                    try await tasks.waitForAll()
                }
            }
            #expect(damage.isBearable, "\(damage)")
        }
    }
}
