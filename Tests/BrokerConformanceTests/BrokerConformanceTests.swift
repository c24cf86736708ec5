import BrokerConformance
import Contracts
import MockBrokerTesting
import Protobuf
import RPCCore
import Testing

/// The mock broker keeps what its record says, in every mode, and a record that says otherwise is caught.
@Suite struct BrokerConformanceTests {
    private func findings(
        _ behavior: BrokerBehavior = BrokerBehavior(), _ rules: [BrokerRule] = [], movesClock: Bool = false,
        claiming change: (inout BrokerCapabilities) -> Void = { _ in }
    ) async throws -> [Finding] {
        func run(_ broker: TestBroker) async throws -> [Finding] {
            var claims = try await broker.client.getCapabilities(BrokerGetCapabilitiesRequest())
            change(&claims)
            var setting = BrokerConformance.Setting(
                account: "test", symbol: "AAPL", restingPrice: WireDecimal(unscaled: 1, scale: 0), idPrefix: "c")
            if movesClock { setting.advance = { duration in try await broker.advance(by: duration) } }
            return await BrokerConformance(broker.client, claims: claims, setting).run()
        }
        return try await TestBroker.run(behavior: behavior, rules: rules, run)
    }

    private func failed(_ findings: [Finding]) -> Set<String> { Set(findings.filter(\.hasFailed).map(\.check)) }

    private static let honest: [BrokerBehavior] = [
        BrokerBehavior(idempotencyMode: .returnOriginal), BrokerBehavior(idempotencyMode: .rejectDuplicate),
        BrokerBehavior(idempotencyMode: .echoOnly), BrokerBehavior(idempotencyMode: BrokerIdempotencyMode.none),
        BrokerBehavior(idempotencyMode: .returnOriginal, dedupWindow: Google_Protobuf_Duration(seconds: 600)),
        BrokerBehavior(idempotencyMode: .rejectDuplicate, dedupWindow: Google_Protobuf_Duration(seconds: 4 * 86_400)),
        BrokerBehavior(ignoreChangedRepeats: true),
        BrokerBehavior(visibilityDelay: Google_Protobuf_Duration(nanos: 300_000_000)),
    ]

    @Test(.timeLimit(.minutes(1)), arguments: honest.indices)
    func theMockKeepsItsRecord(index: Int) async throws {
        let findings = try await findings(Self.honest[index], movesClock: true)
        #expect(findings.filter(\.hasFailed).isEmpty)
        #expect(findings.map(\.check) == BrokerConformance.checkNames)
        #expect(findings.count { $0.verdict == .passed } >= 12)
    }

    @Test(.timeLimit(.minutes(1))) func aRecordThatSaysOtherwiseIsCaught() async throws {
        func caught(
            _ behavior: BrokerBehavior = BrokerBehavior(), _ change: (inout BrokerCapabilities) -> Void
        ) async throws -> Set<String> {
            failed(try await findings(behavior, movesClock: true, claiming: change)).subtracting(["record"])
        }
        #expect(try await caught { $0.idempotencyMode = .rejectDuplicate }.contains("repeated-order"))
        #expect(try await caught { $0.idempotencyMode = .echoOnly }.contains("repeated-order"))
        #expect(
            try await caught(BrokerBehavior(idempotencyMode: .echoOnly)) { $0.idempotencyMode = .returnOriginal }
                .contains("repeated-order"))
        #expect(try await caught { $0.changedRepeatRefused = false } == ["changed-repeat"])
        #expect(try await caught { $0.idMaxLength = 40 } == ["id-length"])
        #expect(try await caught { $0.idMaxLength = 30 } == ["id-length"])
        #expect(try await caught { $0.lookupByClientID = false } == ["look-up-by-client-id"])
        #expect(try await caught { $0.cancelByClientID = false } == ["cancel-by-client-id"])
        #expect(try await caught { $0.ordTypes = [.market] } == ["order-types"])
        #expect(try await caught { $0.timesInForce = [.day, .gtc] } == ["order-types"])
        #expect(try await caught { $0.execIDSupported = false } == ["execution-ids"])
        let late = BrokerBehavior(visibilityDelay: Google_Protobuf_Duration(seconds: 60))
        #expect(try await caught(late) { $0.visibilityDelayMilliseconds = 1000 }.contains("look-up-by-client-id"))
        let short = BrokerBehavior(dedupWindow: Google_Protobuf_Duration(seconds: 60))
        #expect(try await caught(short) { $0.dedupWindowSeconds = 3600 } == ["dedup-window"])
        #expect(try await caught { $0.dedupWindowSeconds = 3600 } == ["dedup-window"])
        // A record that is another than the broker's own is a finding by itself.
        #expect(try await failed(findings { $0.brokerID = "another" }) == ["record"])
    }

    /// A feed that loses, doubles or starts elsewhere is no feed as the record says.
    @Test(.timeLimit(.minutes(1))) func aBrokenFeedIsCaught() async throws {
        #expect(
            try await failed(findings(rules: [.event("e", .duplicate(BrokerDuplicate(copies: 1)))])).contains(
                "feed-equals-list"))
        #expect(
            try await failed(
                findings(rules: [.event("e", .cursor(BrokerCursorFault(ignored: true)))])
            ).contains("feed-resumes"))
    }

    private func findings(rules: [BrokerRule]) async throws -> [Finding] { try await findings(BrokerBehavior(), rules) }
    private func findings(_ change: (inout BrokerCapabilities) -> Void) async throws -> [Finding] {
        try await findings(claiming: change)
    }
}
