import Domain
import Testing

private let exchange = try! ExchangeID("exchange-1")
private let rules = ExchangeRules(recheck: RecheckPolicy(maximumChecks: 3, jitterPercent: 0))

@Suite struct ExchangeSagaTests {
    private func run(_ events: [ExchangeEvent], _ rules: ExchangeRules = rules) throws -> (
        ExchangeSaga, [ExchangeState]
    ) {
        var saga = ExchangeSaga(id: exchange)
        var log: [ExchangeState] = [.requested]
        for event in events { log += try saga.apply(event, rules: rules).entered }
        #expect(try ExchangeSaga(id: exchange, log: log, checks: saga.checks) == saga)
        return (saga, log)
    }

    @Test(
        arguments: [
            ([.drive], [.withdrawRequested]),
            ([.drive, .withdrawal(.applied)], [.withdrawRequested, .withdrawSucceeded, .depositRequested]),
            (
                [.drive, .withdrawal(.applied), .deposit(.applied)],
                [.withdrawRequested, .withdrawSucceeded, .depositRequested, .depositSucceeded, .completed]
            ),
            ([.drive, .withdrawal(.refused("NO"))], [.withdrawRequested, .withdrawRefused, .failed]),
            (
                [.drive, .withdrawal(.unknown), .withdrawal(.sealed)],
                [.withdrawRequested, .withdrawUnknown, .withdrawRefused, .failed]
            ),
            (
                [.drive, .withdrawal(.unknown), .withdrawal(.applied), .deposit(.refused("NO"))],
                [
                    .withdrawRequested, .withdrawUnknown, .withdrawSucceeded, .depositRequested, .depositRefused,
                    .cancelRequested,
                ]
            ),
            (
                [
                    .drive, .withdrawal(.applied), .deposit(.unknown), .deposit(.sealed),
                    .withdrawalCancelled(.reversed),
                    .withdrawalCancelled(.reversed),
                ],
                [
                    .withdrawRequested, .withdrawSucceeded, .depositRequested, .depositUnknown, .depositRefused,
                    .cancelRequested, .cancelled,
                ]
            ),
        ] as [([ExchangeEvent], [ExchangeState])])
    func paths(_ events: [ExchangeEvent], _ states: [ExchangeState]) throws {
        let (saga, log) = try run(events)
        #expect(log == [.requested] + states)
        #expect(saga.state == states.last)
    }

    @Test func waitsDoubleThenThePersonIsCalled() throws {
        var saga = ExchangeSaga(id: exchange)
        _ = try saga.apply(.drive, rules: rules)
        #expect(try saga.apply(.withdrawal(.unknown), rules: rules).actions == [.resolveWithdrawal])
        for seconds in [30, 60, 120] {
            #expect(try saga.apply(.withdrawal(.unknown), rules: rules).actions == [.recheck(after: .seconds(seconds))])
            #expect(try saga.apply(.recheckDue, rules: rules).actions == [.resolveWithdrawal])
        }
        let parked = try saga.apply(.withdrawal(.unknown), rules: rules)
        #expect(parked == ExchangeSaga.Step(entered: [.parked], actions: [.alertParked]))
        #expect(try saga.apply(.drive, rules: rules) == ExchangeSaga.Step())
        #expect(
            try saga.apply(.redriven, rules: rules)
                == ExchangeSaga.Step(entered: [.withdrawUnknown], actions: [.resolveWithdrawal]))
        #expect(saga.checks == 0)
        #expect(try saga.apply(.withdrawal(.applied), rules: rules).actions == [.deposit])
    }

    @Test func aLostCancelIsPublishedAgain() throws {
        var saga = ExchangeSaga(id: exchange)
        for event in [ExchangeEvent.drive, .withdrawal(.applied)] { _ = try saga.apply(event, rules: rules) }
        #expect(
            try saga.apply(.deposit(.refused("CLOSED")), rules: rules).actions
                == [.publishCancel, .recheck(after: .seconds(30))])
        for seconds in [60, 120, 240] {
            #expect(
                try saga.apply(.recheckDue, rules: rules).actions == [
                    .publishCancel, .recheck(after: .seconds(seconds)),
                ])
        }
        #expect(try saga.apply(.recheckDue, rules: rules).actions == [.alertParked])
        // The message was only slow: its result ends the exchange even when parked.
        #expect(try saga.apply(.withdrawalCancelled(.reversed), rules: rules).actions == [.releaseLimit])
        #expect(saga.state == .cancelled)
    }

    @Test func contradictionsAreParked() throws {
        let events: [ExchangeEvent] = [
            .drive, .withdrawal(.applied), .deposit(.sealed), .withdrawalCancelled(.sealed),
        ]
        #expect(try run(events).0.state == .parked)
    }

    /// The policy "give back" seals the deposit's key before the cancel is published.
    @Test func aLateWithdrawalCanBeGivenBack() throws {
        let givingBack = ExchangeRules(recheck: rules.recheck, lateWithdrawal: .giveBack)
        var saga = ExchangeSaga(id: exchange)
        for event in [ExchangeEvent.drive, .withdrawal(.unknown)] { _ = try saga.apply(event, rules: givingBack) }
        #expect(try saga.apply(.withdrawal(.applied), rules: givingBack).actions == [.resolveDeposit])
        #expect(try saga.apply(.drive, rules: givingBack).actions == [.resolveDeposit])
        #expect(try saga.apply(.deposit(.sealed), rules: givingBack).actions.first == .publishCancel)
    }

    @Test func whoTakesOverGoesOnFromTheStoredState() throws {
        let cases: [([ExchangeEvent], [ExchangeAction])] = [
            ([], [.withdraw]), ([.drive], [.withdraw]), ([.drive, .withdrawal(.unknown)], [.resolveWithdrawal]),
            ([.drive, .withdrawal(.applied)], [.deposit]),
            ([.drive, .withdrawal(.applied), .deposit(.unknown)], [.resolveDeposit]),
            ([.drive, .withdrawal(.applied), .deposit(.sealed)], [.publishCancel]),
            ([.drive, .withdrawal(.applied), .deposit(.applied)], []), ([.drive, .withdrawal(.sealed)], []),
        ]
        for (events, actions) in cases {
            var (saga, _) = try run(events)
            #expect(try saga.apply(.drive, rules: rules).actions == actions)
        }
        let stopped = try ExchangeSaga(
            id: exchange, log: [.requested, .withdrawRequested, .withdrawSucceeded], checks: 0)
        var resumed = stopped
        #expect(
            try resumed.apply(.drive, rules: rules)
                == ExchangeSaga.Step(entered: [.depositRequested], actions: [.deposit]))
    }

    @Test(
        arguments: [
            [], [.withdrawRequested], [.requested, .requested], [.requested, .depositRequested],
            [.requested, .withdrawRequested, .completed], [.requested, .withdrawRequested, .withdrawRefused],
            [.requested, .withdrawRequested, .withdrawUnknown, .parked, .cancelRequested],
            [.requested, .withdrawRequested, .withdrawUnknown, .parked, .cancelled],
            [.requested, .withdrawRequested, .withdrawRefused, .failed, .withdrawRequested],
        ] as [[ExchangeState]])
    func logsThatNoExchangeWrote(log: [ExchangeState]) {
        #expect(throws: IllegalExchangeLog.self) { try ExchangeSaga(id: exchange, log: log, checks: 0) }
    }

    @Test func terminalsAbsorb() throws {
        let events: [ExchangeEvent] = [
            .drive, .withdrawal(.applied), .withdrawal(.unknown), .deposit(.applied), .deposit(.sealed), .recheckDue,
            .redriven, .withdrawalCancelled(.reversed),
        ]
        for ending in [
            [ExchangeEvent.drive, .withdrawal(.sealed)], [.drive, .withdrawal(.applied), .deposit(.applied)],
            [.drive, .withdrawal(.applied), .deposit(.sealed), .withdrawalCancelled(.reversed)],
        ] {
            let (saga, _) = try run(ending)
            #expect(saga.state.isTerminal)
            for event in events {
                var copy = saga
                let step = try? copy.apply(event, rules: rules)
                #expect(copy == saga && (step?.entered ?? []).isEmpty && (step?.actions ?? []).isEmpty)
            }
        }
    }

    @Test func termsFixBothLegs() throws {
        let mid = try FXRate(base: .usd, quote: .krw, "1378.35")
        let plain = try ExchangeTerms(buy: Money("200.00", .usd), selling: .krw, midRate: mid)
        #expect(try plain.sell == Money("275670", .krw) && plain.customerRate == mid)
        let spread = try ExchangeTerms(
            buy: Money("200.00", .usd), selling: .krw, midRate: mid, spread: BasisPoints(100))
        #expect(spread.customerRate.text == "1392.1335")
        #expect(try spread.sell == Money("278427", .krw))
        let back = try ExchangeTerms(buy: Money("137835", .krw), selling: .usd, midRate: mid, spread: BasisPoints(100))
        #expect(try back.sell > Money("100.00", .usd))
        #expect(throws: ExchangeTermsError.self) {
            try ExchangeTerms(buy: Money("0", .usd), selling: .krw, midRate: mid)
        }
        #expect(throws: ExchangeTermsError.self) {
            try ExchangeTerms(buy: Money("1", .usd), selling: .usd, midRate: mid)
        }
        #expect(throws: ExchangeTermsError.self) {
            try ExchangeTerms(buy: Money("1", .usd), selling: .krw, midRate: mid, spread: BasisPoints(-1))
        }
    }
}

/// A ledger that decides by the rules of money operations, reached over a network that loses and delays.
private struct Participant {
    var balance: Int64
    let sign: Int64
    var stored: StoredOperation?
    var entries = 0
    var reversals = 0
    var refuses = false

    mutating func handle(_ request: OperationRequest, amount: Int64) -> LegResult {
        switch OperationDecision(request, stored: stored) {
        case .attempt:
            if refuses || balance + sign * amount < 0 {
                stored = StoredOperation(bodyHash: "body", outcome: .refused("NO"))
            } else {
                balance += sign * amount
                entries += 1
                stored = StoredOperation(bodyHash: "body", outcome: .applied)
            }
        case .answer, .refuseOtherBody: break
        case .seal: stored = StoredOperation(bodyHash: nil, outcome: .sealed)
        case .reverse:
            balance -= sign * amount
            reversals += 1
            stored = StoredOperation(bodyHash: "body", outcome: .reversed)
        }
        switch stored?.outcome {
        case .applied: return .applied
        case .refused(let reason): return .refused(reason)
        case .sealed: return .sealed
        case .reversed, nil: return .unknown
        }
    }
}

@Suite struct ExchangeSimulationTests {
    /// A lossy world with crashes at every step: money is never made and never lost.
    @Test(arguments: seeds)
    func theMoneyIsKept(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<300 {
            try simulate(&generator, "seed \(seed) round \(round)")
        }
    }

    private func simulate(_ generator: inout SeededGenerator, _ label: Comment) throws {
        let rules = ExchangeRules(
            recheck: RecheckPolicy(maximumChecks: Int.random(in: 0...4, using: &generator)),
            lateWithdrawal: Bool.random(using: &generator) ? .goOn : .giveBack)
        let amount: Int64 = 100
        var source = Participant(balance: Bool.random(using: &generator) ? 150 : 50, sign: -1)
        var target = Participant(balance: 0, sign: 1)
        target.refuses = Int.random(in: 0..<4, using: &generator) == 0
        let opening = source.balance
        var saga = ExchangeSaga(id: try ExchangeID("exchange-1"))
        var log: [ExchangeState] = [.requested]
        var pending: [ExchangeAction] = []
        var latePackets: [(isSource: Bool, OperationRequest)] = []
        var cancelsOnTheBus = 0
        var faults = 12  // Then the world heals.

        func fault() -> Bool {
            guard faults > 0, Int.random(in: 0..<3, using: &generator) == 0 else { return false }
            faults -= 1
            return true
        }

        func take(_ event: ExchangeEvent) throws {
            let step = try saga.apply(event, rules: rules)
            if step.entered.contains(.depositRequested) { #expect(source.stored?.outcome == .applied, label) }
            if step.entered.contains(.cancelRequested), !log.contains(.cancelRequested) {
                switch target.stored?.outcome {
                case .refused, .sealed: break
                case .applied, .reversed, nil: Issue.record("cancel without a dead deposit key: \(label)")
                }
            }
            log += step.entered
            pending = step.actions
            saga = try ExchangeSaga(id: saga.id, log: log, checks: saga.checks)  // As a new process would read it.
        }

        func call(_ isSource: Bool, _ request: OperationRequest) -> LegResult {
            func deliver() -> LegResult {
                isSource ? source.handle(request, amount: amount) : target.handle(request, amount: amount)
            }
            if fault() {  // The request is lost, or travels on and arrives late.
                if Bool.random(using: &generator) { latePackets.append((isSource, request)) }
                return .unknown
            }
            let answer = deliver()
            return fault() ? .unknown : answer
        }

        var steps = 0
        while !saga.state.isTerminal {
            steps += 1
            guard steps < 500 else {
                Issue.record("stuck in \(saga.state): \(label)")
                return
            }
            if !latePackets.isEmpty, Bool.random(using: &generator) {
                let (isSource, request) = latePackets.removeFirst()
                _ = isSource ? source.handle(request, amount: amount) : target.handle(request, amount: amount)
            }
            if cancelsOnTheBus > 0, Bool.random(using: &generator) {
                cancelsOnTheBus -= 1
                _ = source.handle(.cancel, amount: amount)
                if let outcome = source.stored?.outcome { try take(.withdrawalCancelled(outcome)) }
                continue
            }
            if fault() { pending = [] }  // A crash: what was to be done is forgotten.
            guard !pending.isEmpty else {
                try take(saga.state == .parked ? .redriven : .drive)
                continue
            }
            switch pending.removeFirst() {
            case .withdraw: try take(.withdrawal(call(true, .apply(bodyHash: "body"))))
            case .resolveWithdrawal: try take(.withdrawal(call(true, .resolve)))
            case .deposit: try take(.deposit(call(false, .apply(bodyHash: "body"))))
            case .resolveDeposit: try take(.deposit(call(false, .resolve)))
            case .publishCancel: cancelsOnTheBus += fault() ? 0 : Int.random(in: 1...2, using: &generator)
            case .recheck: try take(.recheckDue)
            case .alertParked, .finalizeLimit, .releaseLimit: break
            }
        }
        // Everything that is still travelling arrives, twice.
        for (isSource, request) in latePackets + latePackets {
            _ = isSource ? source.handle(request, amount: amount) : target.handle(request, amount: amount)
        }
        for _ in 0..<(2 * cancelsOnTheBus) { _ = source.handle(.cancel, amount: amount) }

        #expect(source.entries <= 1 && target.entries <= 1 && source.reversals <= 1 && target.reversals == 0, label)
        switch saga.state {
        case .completed: #expect(source.balance == opening - amount && target.balance == amount, label)
        case .failed: #expect(source.balance == opening && target.balance == 0 && source.entries == 0, label)
        case .cancelled: #expect(source.balance == opening && target.balance == 0 && source.reversals == 1, label)
        default: Issue.record("ended in \(saga.state): \(label)")
        }
    }
}
