public import Contracts
internal import Protobuf
internal import RPCCore

/// Tests a broker against its own capability record: what it claims must be so, and what it does not claim it must
/// refuse.
///
/// Any endpoint that speaks `meridian.broker.v1` can be tested, an adapter in front of a real broker as well as the mock.
/// Orders are placed for real: use an account that may be spoiled.
public struct BrokerConformance: Sendable {
    /// What the suite may use.
    public struct Setting: Sendable {
        public var account: String
        /// What trades there.
        public var symbol: String
        /// A limit for purchases far below the market, so that such orders rest.
        public var restingPrice: WireDecimal
        /// Whether market orders fill by themselves.
        public var fillsMarketOrders: Bool
        /// How long anything may take that has no bound in the record.
        public var patience: Duration
        /// Begins the ids of this run; another run on the same books needs another one. At most 12 characters.
        public var idPrefix: String
        /// Moves the broker's clock, where a test can; without it, windows above `patience` are not tested.
        public var advance: (@Sendable (Duration) async throws -> Void)?

        public init(
            account: String, symbol: String, restingPrice: WireDecimal, fillsMarketOrders: Bool = true,
            patience: Duration = .seconds(5), idPrefix: String,
            advance: (@Sendable (Duration) async throws -> Void)? = nil
        ) {
            self.account = account
            self.symbol = symbol
            self.restingPrice = restingPrice
            self.fillsMarketOrders = fillsMarketOrders
            self.patience = patience
            self.idPrefix = idPrefix
            self.advance = advance
        }
    }

    let broker: BrokerServiceClient
    let claims: BrokerCapabilities
    let setting: Setting

    /// - Parameter claims: the record that is tested, which is not taken from the broker itself.
    public init(_ broker: BrokerServiceClient, claims: BrokerCapabilities, _ setting: Setting) {
        self.broker = broker
        self.claims = claims
        self.setting = setting
    }

    private typealias Check = @Sendable (BrokerConformance) async throws -> Void

    private static let checks: [(name: String, check: Check)] = [
        ("record", { try await $0.record() }),
        ("repeated-order", { try await $0.repeatedOrder() }),
        ("changed-repeat", { try await $0.changedRepeat() }),
        ("dedup-window", { try await $0.dedupWindow() }),
        ("id-length", { try await $0.idLength() }),
        ("id-characters", { try await $0.idCharacters() }),
        ("look-up-by-client-id", { try await $0.lookUp() }),
        ("unknown-order", { try await $0.unknownOrder() }),
        ("cancel-by-client-id", { try await $0.cancel() }),
        ("order-types", { try await $0.orderTypes() }),
        ("definite-refusals", { try await $0.definiteRefusals() }),
        ("fills-add-up", { try await $0.fillsAddUp() }),
        ("execution-ids", { try await $0.executionIDs() }),
        ("feed-resumes", { try await $0.feedResumes() }),
        ("feed-equals-list", { try await $0.feedEqualsList() }),
        ("heartbeats", { try await $0.heartbeats() }),
        ("replace", { try await $0.replace() }),
        ("mass-status", { try await $0.massStatus() }),
    ]

    /// The names of all checks, in the order in which they run.
    public static var checkNames: [String] { checks.map(\.name) }

    /// Runs every check; each one is told in turn, too.
    public func run(_ tell: @Sendable (Finding) -> Void = { _ in }) async -> [Finding] {
        var findings: [Finding] = []
        for (name, check) in Self.checks {
            let verdict: Finding.Verdict
            do {
                try await check(self)
                verdict = .passed
            } catch Disagreement.violation(let text) {
                verdict = .failed(text)
            } catch Disagreement.notClaimed(let text) {
                verdict = .skipped(text)
            } catch {
                let status = Status(describing: error)
                verdict = .failed("\(status.code): \(status.message)")
            }
            findings.append(Finding(check: name, verdict: verdict))
            tell(findings[findings.count - 1])
        }
        return findings
    }
}
