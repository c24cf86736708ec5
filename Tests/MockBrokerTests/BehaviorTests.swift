import Contracts
import Domain
import MockBroker
import Protobuf
import Testing

@Suite struct BehaviorTests {
    private static let wrong: [(String, @Sendable (inout Behavior) -> Void)] = [
        ("visibility_delay", { $0.visibilityDelay = .seconds(-1) }),
        ("visibility_delay", { $0.visibilityDelay = .seconds(86_401) }),
        ("dedup_window", { $0.dedupWindow = .seconds(-1) }),
        ("dedup_window", { $0.dedupWindow = .seconds(4_000_000_000) }),
        ("opening_cash", { $0.openingCash = Money(minorUnits: -1, currency: .usd) }),
        ("commission_basis_points", { $0.commissionRate = BasisPoints(-1) }),
        ("commission_basis_points", { $0.commissionRate = BasisPoints(10_001) }),
    ]

    @Test(arguments: wrong.indices)
    func refusesNonsenseWithItsPath(index: Int) {
        var behavior = Behavior()
        Self.wrong[index].1(&behavior)
        do {
            try behavior.validate()
            Issue.record("accepted \(Self.wrong[index].0)")
        } catch {
            #expect(error.path == Self.wrong[index].0)
        }
        let desk = Desk()
        #expect(throws: BrokerRefusal.self) { try desk.book.setBehavior(behavior, .control, at: desk.now) }
    }

    @Test func takesTheGreatestSensibleValues() throws {
        var behavior = Behavior()
        behavior.visibilityDelay = .seconds(86_400)
        behavior.dedupWindow = .seconds(100 * 365 * 86_400)
        behavior.commissionRate = BasisPoints(10_000)
        try behavior.validate()
    }
}
