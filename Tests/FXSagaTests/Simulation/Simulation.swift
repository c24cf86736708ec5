import Domain
import TestSupport

@testable import FXSaga

/// Some exchanges between two ledgers, driven by processes that die and stall at any point, over a network that loses,
/// repeats, holds up and reorders. One seed is one history. The decisions are the production code's; everything that
/// touches the world is simulated here.
struct Simulation {
    /// A promise that is broken on purpose, to see that the checks notice.
    enum Weakness: String, CaseIterable, Sendable {
        case inquiryDoesNotSeal, keysForget, cancelRepeats, epochIsNotChecked, intentIsNotLogged
    }

    struct Violation: Error, CustomStringConvertible {
        let description: String
    }

    /// A call on its way to a ledger.
    private struct Request {
        let call: ExchangeStep.Call
        let exchange: Int
        /// Who waits for the reply.
        let driver: Int
        /// The driver's count of calls: a reply to an earlier call is nobody's.
        let number: Int
    }

    private struct Driver {
        let id: Int
        let exchange: Int
        let epoch: Int
        var saga: ExchangeSaga
        var length: Int
        var phase: Phase
        var calls = 0

        enum Phase {
            /// About to decide and commit.
            case has(ExchangeEvent)
            /// Committed, about to send.
            case sends(ExchangeStep.Call)
            case waits(ExchangeStep.Call)
        }
    }

    private static let amount = 30
    private static let opening = 100

    private var random: SeededGenerator
    private let weakness: Weakness?
    private let rules: ExchangeRules
    private var won: SimulatedLedger
    private var dollars: SimulatedLedger
    private var stores: [SimulatedStore]
    private var drivers: [Driver] = []
    private var requests: [Request] = []
    private var replies: [(request: Request, outcome: OperationOutcome)] = []
    private var cancels: [Int] = []
    private var results: [(exchange: Int, outcome: OperationOutcome)] = []
    private var driversMade = 0
    /// Whether anything may still go wrong.
    private var isStormy = true

    init(seed: UInt64, weakness: Weakness? = nil) {
        var random = SeededGenerator(seed: seed)
        self.weakness = weakness
        rules = ExchangeRules(
            recheck: RecheckPolicy(initial: .seconds(1), maximum: .seconds(1), maximumChecks: 3, jitterPercent: 0),
            lateWithdrawal: Bool.random(using: &random) ? .goOn : .giveBack)
        let count = Int.random(in: 1...4, using: &random)
        won = SimulatedLedger(balance: Self.opening, weakness: weakness)
        dollars = SimulatedLedger(balance: 0, weakness: weakness)
        stores = (0..<count).map { _ in SimulatedStore(weakness: weakness) }
        self.random = random
        for exchange in stores.indices { startDriver(exchange, epoch: 1) }
    }

    /// Runs the history to its end and returns how many exchanges ended in each state.
    mutating func run() throws(Violation) -> [ExchangeState: Int] {
        for _ in 0..<Int.random(in: 0...120, using: &random) { try step() }
        isStormy = false
        var left = 5_000
        while !isQuiet {
            left -= 1
            guard left > 0 else { throw Violation(description: "does not come to rest: \(stores.map(\.state))") }
            try step()
        }
        try checkAtRest()
        return stores.reduce(into: [:]) { $0[$1.state, default: 0] += 1 }
    }

    // MARK: One step of the world

    private mutating func step() throws(Violation) {
        switch Int.random(in: 0..<9, using: &random) {
        case 0: claim()
        case 1, 2, 3: try moveDriver()
        case 4: try deliverRequest()
        case 5: deliverReply()
        case 6: try moveMessage()
        case 7: try deliverResult()
        case 8: misfortune()
        default: break
        }
    }

    private mutating func misfortune() {
        if isStormy, chance(30), let index = drivers.indices.randomElement(using: &random) {
            drivers.remove(at: index)  // kill -9
        }
        if isStormy, chance(30), let index = stores.indices.randomElement(using: &random) {
            stores[index].leaseHasRunOut = true  // its driver stalls, or was killed
        }
        if !isStormy {
            // Leases of dead drivers run out in the end; those of living ones do not.
            for index in stores.indices where !drivers.contains(where: { $0.exchange == index && isCurrent($0) }) {
                stores[index].leaseHasRunOut = true
            }
            // A person gives parked exchanges back.
            for index in stores.indices where stores[index].state == .parked && !stores[index].isHeld {
                startDriver(index, epoch: stores[index].claim(), event: .redriven)
            }
        }
    }

    private mutating func claim() {
        guard let index = stores.indices.filter({ stores[$0].canBeClaimed }).randomElement(using: &random) else {
            return
        }
        startDriver(index, epoch: stores[index].claim())
    }

    private mutating func startDriver(_ exchange: Int, epoch: Int, event: ExchangeEvent? = nil) {
        let store = stores[exchange]
        guard let id = try? ExchangeID("x\(exchange)"),
            let saga = try? ExchangeSaga(id: id, log: store.log.map(\.state), checks: store.checks ?? 0)
        else { return }  // `checkLog` reports a log that nobody can have written.
        driversMade += 1
        drivers.append(
            Driver(
                id: driversMade, exchange: exchange, epoch: epoch, saga: saga, length: store.log.count,
                phase: .has(event ?? store.state.eventOnTakeOver)))
    }

    private mutating func moveDriver() throws(Violation) {
        guard let index = drivers.indices.randomElement(using: &random) else { return }
        var driver = drivers[index]
        switch driver.phase {
        case .has(let event):
            let step: ExchangeStep
            do { step = try ExchangeStep.next(&driver.saga, event, rules: rules) } catch {
                throw Violation(description: "\(error)")
            }
            let isDurable = !step.entered.isEmpty || step.call == nil
            if isDurable, !(weakness == .intentIsNotLogged && step.entered == [.withdrawRequested]) {
                if stores[driver.exchange].commit(step, after: driver.length, epoch: driver.epoch) {
                    driver.length += step.entered.count
                    try checkLog(driver.exchange)
                    try checkCancel(step, driver.exchange)
                } else {
                    drivers.remove(at: index)
                    return
                }
            }
            guard let call = step.call else {
                drivers.remove(at: index)
                return
            }
            driver.phase = .sends(call)
        case .sends(let call):
            driver.calls += 1
            let request = Request(call: call, exchange: driver.exchange, driver: driver.id, number: driver.calls)
            requests.append(request)
            driver.phase = .waits(call)
        case .waits(let call):
            guard isStormy ? chance(20) : !isAnswerable(driver) else { return }
            driver.phase = .has(call.event(.unknown))  // time-out
        }
        drivers[index] = driver
    }

    private mutating func deliverRequest() throws(Violation) {
        guard let index = requests.indices.randomElement(using: &random) else { return }
        let request = requests[index]
        if !(isStormy && chance(15)) { requests.remove(at: index) }  // else it arrives twice
        guard !(isStormy && chance(15)) else {
            requests.removeAll { $0.driver == request.driver && $0.number == request.number }
            return  // lost
        }
        let refusing = chance(10)
        let (withdraw, deposit) = ("x\(request.exchange)/withdraw", "x\(request.exchange)/deposit")
        let outcome: OperationOutcome =
            switch request.call {
            case .withdraw: won.move(withdraw, -Self.amount, refusing: refusing)
            case .resolveWithdrawal: won.resolve(withdraw)
            case .deposit: dollars.move(deposit, Self.amount, refusing: refusing)
            case .resolveDeposit: dollars.resolve(deposit)
            }
        if !(isStormy && chance(15)) { replies.append((request, outcome)) }
        try checkMoney()
    }

    private mutating func deliverReply() {
        guard let index = replies.indices.randomElement(using: &random) else { return }
        let (request, outcome) = replies.remove(at: index)
        guard
            let waiting = drivers.firstIndex(where: {
                guard case .waits = $0.phase else { return false }
                return $0.id == request.driver && $0.calls == request.number
            })
        else { return }
        drivers[waiting].phase = .has(request.call.event(LegResult(outcome)))
    }

    /// The relay and the account service's consumer.
    private mutating func moveMessage() throws(Violation) {
        if let index = stores.indices.filter({ stores[$0].outbox > 0 }).randomElement(using: &random) {
            cancels.append(index)
            if !(isStormy && chance(15)) { stores[index].takeFromOutbox() }  // else published twice
        }
        guard let index = cancels.indices.randomElement(using: &random) else { return }
        let exchange = cancels[index]
        if !(isStormy && chance(15)) { cancels.remove(at: index) }  // else delivered twice
        guard !(isStormy && chance(15)) else { return }
        results.append((exchange, won.cancel("x\(exchange)/withdraw")))
        try checkMoney()
    }

    /// The consumer of results: claims, decides and commits in one transaction.
    private mutating func deliverResult() throws(Violation) {
        guard let index = results.indices.randomElement(using: &random) else { return }
        let (exchange, outcome) = results[index]
        if !(isStormy && chance(15)) { results.remove(at: index) }
        guard !(isStormy && chance(15)) else { return }
        guard !stores[exchange].state.isTerminal else { return }
        var store = stores[exchange]
        let epoch = store.claim()
        do {
            var saga = try ExchangeSaga(
                id: try ExchangeID("x\(exchange)"), log: store.log.map(\.state), checks: store.checks ?? 0)
            let step = try ExchangeStep.next(&saga, .withdrawalCancelled(outcome), rules: rules)
            guard store.commit(step, after: store.log.count, epoch: epoch) else { return }
            stores[exchange] = store
            try checkLog(exchange)
        } catch let violation as Violation {
            throw violation
        } catch {
            throw Violation(description: "\(error)")
        }
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    /// Whether the reply that it waits for may still come.
    private func isAnswerable(_ driver: Driver) -> Bool {
        requests.contains { $0.driver == driver.id && $0.number == driver.calls }
            || replies.contains { $0.request.driver == driver.id && $0.request.number == driver.calls }
    }

    private func isCurrent(_ driver: Driver) -> Bool { stores[driver.exchange].epoch == driver.epoch }

    private var isQuiet: Bool {
        stores.allSatisfy { $0.state.isTerminal && $0.outbox == 0 } && drivers.isEmpty && requests.isEmpty
            && cancels.isEmpty && results.isEmpty
    }

    // MARK: What must hold

    /// I8, I9, I11: after every commit.
    private func checkLog(_ exchange: Int) throws(Violation) {
        let store = stores[exchange]
        let name = "x\(exchange) \(store.log.map(\.state.rawValue))"
        do {
            _ = try ExchangeSaga(id: try ExchangeID("x"), log: store.log.map(\.state), checks: 0)
        } catch {
            throw Violation(description: "I8 the log is no legal path: \(name)")
        }
        for (line, next) in zip(store.log, store.log.dropFirst()) where next.epoch < line.epoch {
            throw Violation(description: "I9 a line of an old epoch: \(name)")
        }
        if store.isAbandoned { throw Violation(description: "I11 nobody will ever look again: \(name)") }
    }

    /// I1, I4, I5: at every instant.
    private func checkMoney() throws(Violation) {
        for index in stores.indices {
            let withdrawn = won.entries.filter { $0.key == "x\(index)/withdraw" }.map(\.amount)
            let deposited = dollars.entries.filter { $0.key == "x\(index)/deposit" }.map(\.amount)
            guard [[], [-Self.amount], [-Self.amount, Self.amount]].contains(withdrawn) else {
                throw Violation(description: "I5 entries of x\(index)/withdraw: \(withdrawn)")
            }
            guard deposited.isEmpty || (deposited == [Self.amount] && withdrawn == [-Self.amount]) else {
                throw Violation(description: "I4 x\(index): deposited \(deposited), withdrawn \(withdrawn)")
            }
        }
        guard won.balance >= 0, won.balance == Self.opening + won.entries.reduce(0, { $0 + $1.amount }) else {
            throw Violation(description: "I1 the balance is \(won.balance)")
        }
    }

    /// I10: a cancel is requested only when the deposit can never apply.
    private func checkCancel(_ step: ExchangeStep, _ exchange: Int) throws(Violation) {
        guard step.entered.contains(.cancelRequested) else { return }
        switch dollars.outcomes["x\(exchange)/deposit"] {
        case .refused, .sealed: break
        case .applied, .reversed, nil: throw Violation(description: "I10 x\(exchange) while its deposit may apply")
        }
    }

    /// I3 and I12: each exchange has both legs, or none, or one that was given back; and its limit is settled.
    private func checkAtRest() throws(Violation) {
        for (index, store) in stores.enumerated() {
            let withdrawn = won.entries.filter { $0.key == "x\(index)/withdraw" }.map(\.amount)
            let deposited = dollars.entries.filter { $0.key == "x\(index)/deposit" }.map(\.amount)
            let (legs, limit): ([[Int]], ExchangeStep.Limit) =
                switch store.state {
                case .completed: ([[-Self.amount], [Self.amount]], .done)
                case .cancelled: ([[-Self.amount, Self.amount], []], .released)
                default: ([[], []], .released)
                }
            guard [withdrawn, deposited] == legs else {
                throw Violation(description: "I3 x\(index) \(store.state): \(withdrawn) \(deposited)")
            }
            guard store.limit == limit else { throw Violation(description: "I12 x\(index) \(store.state)") }
        }
        guard won.balance + dollars.balance == Self.opening else { throw Violation(description: "I1 money is lost") }
    }
}

extension ExchangeStep.Call {
    fileprivate func event(_ result: LegResult) -> ExchangeEvent {
        switch self {
        case .withdraw, .resolveWithdrawal: .withdrawal(result)
        case .deposit, .resolveDeposit: .deposit(result)
        }
    }
}

extension LegResult {
    fileprivate init(_ outcome: OperationOutcome) {
        switch outcome {
        case .applied: self = .applied
        case .refused(let reason): self = .refused(reason)
        case .sealed: self = .sealed
        case .reversed: self = .unknown
        }
    }
}
