import Domain
import Testing

@Suite struct OrderTests {
    @Test(arguments: [
        ("", OrderStatus.pendingNew, 0),
        ("validate hold deny", .denied, 0),
        ("deny", .denied, 0),
        ("queue", .pendingNew, 0),
        ("queue send", .pendingNew, 0),
        ("queue send ack", .new, 0),
        ("queue send ack fill:4", .partiallyFilled, 4),
        ("queue send ack fill:4 fill:6", .filled, 10),
        ("queue send fill:4 ack", .partiallyFilled, 4),  // a fill before its accept
        ("queue send fill:10 ack", .filled, 10),
        ("queue send refuse:NO_SUCH_SYMBOL", .rejected, 0),
        ("queue send ack reject:HALTED", .rejected, 0),
        ("queue send lost", .unconfirmed, 0),
        ("queue send lost ack", .new, 0),  // the reply was late
        ("queue send lost fill:10", .filled, 10),
        ("queue send lost found:working:0", .new, 0),
        ("queue send lost found:filled:10", .new, 0),  // a status alone fills nothing
        ("queue send lost found:filled:10 fill:10", .filled, 10),
        ("queue send ack lost", .new, 0),  // the feed was faster than the time-out
        ("queue send lost miss wait:2 send ack fill:10", .filled, 10),
        ("queue send lost miss wait:2 send refuse:CLOSED", .rejected, 0),
        ("queue send lost ack refuse:DUPLICATE_QUOTA", .new, 0),  // proof of acceptance outranks a refused attempt
        ("queue cancel", .canceled, 0),  // nothing was sent
        ("queue send cancel", .pendingCancel, 0),
        ("queue send cancel ack", .pendingCancel, 0),
        ("queue send cancel ack csend canceled:0", .canceled, 0),
        ("queue send ack cancel csend cack canceled:0", .canceled, 0),
        ("queue send ack fill:4 cancel fill:6", .filled, 10),  // the fill wins the race
        ("queue send ack fill:4 cancel csend canceled:4", .canceled, 4),
        ("queue send ack cancel csend canceled:0 fill:4", .canceled, 4),  // a fill after the end keeps the label
        ("queue send ack fill:4 cancel csend canceled:7", .pendingCancel, 4),  // held back for 3 shares
        ("queue send ack fill:4 cancel csend canceled:7 fill:3", .canceled, 7),
        ("queue send ack fill:4 canceled:7 overdue", .needsReview, 4),
        ("queue send ack fill:4 canceled:7 overdue fill:3", .canceled, 7),
        ("queue send ack cancel csend crefuse", .new, 0),
        ("queue send ack cancel csend crefuse cancel csend cack canceled:0", .canceled, 0),
        ("queue send ack cancel csend clost csend cack", .pendingCancel, 0),
        ("queue send ack cancel csend cunknown", .new, 0),
        ("queue send ack canceled:0", .canceled, 0),  // unsolicited
        ("queue send ack fill:3 expired:3", .expired, 3),
        ("queue send expired:0", .expired, 0),
        ("queue lapse", .expired, 0),
        ("queue send ack fill:10 canceled:10", .filled, 10),  // a status never overwrites a final one
        ("queue send ack canceled:0 expired:0 reject:X ack", .canceled, 0),
        ("queue send ack fill:4 fill:7", .filled, 11),  // overfill is booked in full
        ("queue send ack fill:4:A bust:A", .new, 0),
        ("queue send ack fill:10:A bust:A", .filled, 0),
        ("queue send ack fill:4:A correct:A:3", .partiallyFilled, 3),
        ("queue send ack fill:4:A fill:4:A fill:4:A", .partiallyFilled, 4),  // duplicates
        ("queue send notsent", .pendingNew, 0),
        ("queue send notsent send ack", .new, 0),
        ("queue send cancel notsent", .canceled, 0),
        ("queue send lost cancel", .unconfirmed, 0),
        ("queue send lost cancel found:working:0", .pendingCancel, 0),
        ("queue send lost conclude", .rejected, 0),
        ("queue send lost cancel conclude", .canceled, 0),
        ("queue send lost wait:1800 miss", .needsReview, 0),
        ("queue send lost wait:1800 miss fill:10", .filled, 10),  // evidence ends a review
        ("queue send lost wait:1800 miss ack", .new, 0),
        ("queue send lost wait:1800 miss resume", .unconfirmed, 0),
    ])
    func history(_ script: String, endsIn expected: OrderStatus, filled: Int64) throws {
        var history = OrderScript()
        try history.run(script)
        #expect(history.order.status == expected)
        #expect(try history.order.cumQuantity == Quantity(shares: filled))
        let leaves = expected.isFinal ? 0 : 10 - filled
        #expect(try history.order.leavesQuantity == Quantity(shares: leaves))
        #expect(history.actions.releases == (expected.isFinal && history.order.hold != nil ? 1 : 0))
    }

    @Test(
        arguments: [
            ("", "ack-none"), ("", "hold-only"), ("queue", "queue"), ("queue", "deny"), ("queue", "lost"),
            ("queue", "notsent"), ("queue", "refuse:X"), ("queue", "csend"), ("queue send", "send"),
            ("queue send", "lapse"),
            ("queue send ack", "send"), ("queue send ack", "overdue"), ("queue send ack", "conclude"),
            ("queue send ack", "resume"), ("queue send ack fill:10", "cancel"), ("queue send ack fill:10", "send"),
            ("queue send ack fill:10", "deny"), ("queue cancel", "cancel"), ("deny", "queue"), ("deny", "cancel"),
            ("queue send lost", "send"), ("queue send lost cancel", "send"), ("queue send lost", "withdraw"),
            ("queue send ack cancel csend", "csend"),
        ].filter { !$0.1.contains("-") })
    func illegalCommandsAreRefusedAndChangeNothing(_ script: String, then word: String) throws {
        var history = OrderScript()
        try history.run(script)
        let before = history.order
        #expect(throws: InvalidTransition.self) { try history.run(word) }
        #expect(history.order == before)
    }

    @Test func aWholeLifeInActions() throws {
        var history = OrderScript()
        try history.run("queue")
        #expect(
            history.actions == [
                try .placeHold(Money("2300.00", .usd)), .dispatch(attempt: 1, at: history.now),
            ])
        history.actions = []
        try history.run("send ack fill:4 fill:6")
        let first = execution("E1", 4)
        let second = execution("E2", 6)
        #expect(
            try history.actions == [
                .notifyCustomer(.new, cumQuantity: .zero),
                .bookPosition(first),
                .captureHold(Money("920.00", .usd), execution: first.id, key: OperationKey("order-1/fill/E1")),
                .notifyCustomer(.partiallyFilled, cumQuantity: Quantity(shares: 4)),
                .bookPosition(second),
                .captureHold(Money("1380.00", .usd), execution: second.id, key: OperationKey("order-1/fill/E2")),
                .releaseHold,
                .notifyCustomer(.filled, cumQuantity: Quantity(shares: 10)),
            ])
        #expect(history.order.version == 7)
        #expect(try history.order.averagePrice == Price("230.00"))
    }

    @Test func anUnknownOutcomePlansAndEvidenceVoidsThePlan() throws {
        var history = OrderScript()
        try history.run("queue send")
        history.actions = []
        try history.run("lost")
        guard case .probe = history.actions.first else {
            Issue.record("expected a probe, got \(history.actions)")
            return
        }
        history.actions = []
        try history.run("miss")
        guard case .resend(attempt: 2, at: let due)? = history.actions.first else {
            Issue.record("expected a resend, got \(history.actions)")
            return
        }
        #expect(due >= history.now)
        history.actions = []
        try history.run("fill:10")
        #expect(history.actions.first == .cancelPlannedStep)
        #expect(throws: InvalidTransition.self) { try history.run("wait:60 send") }
    }

    @Test func aResendWaitsForItsInstant() throws {
        var history = OrderScript(
            rules: DispatchRules(
                policy: UnknownOrderPolicy(resendDelays: [.seconds(10)], jitterPercent: 0), broker: lookUpBroker))
        try history.run("queue send lost miss")
        #expect(throws: InvalidTransition.self) { try history.run("send") }
        try history.run("wait:10 send")
        #expect(history.order.submission.attempts == 2)
    }

    @Test func aCancelWishStopsAResend() throws {
        var history = OrderScript()
        try history.run("queue send lost miss")
        history.actions = []
        try history.run("cancel")
        #expect(history.actions.first == .cancelPlannedStep)
        #expect(history.actions.contains { if case .probe = $0 { true } else { false } })
        #expect(history.actions.contains(.requestCancel(attempt: 1, at: history.now)))
        #expect(throws: InvalidTransition.self) { try history.run("wait:60 send") }
    }

    @Test func aSealingCancelEndsAnOrderThatTheBrokerNeverHad() throws {
        var rules = standardRules
        rules.broker.cancelSealsUnknownID = true
        var history = OrderScript(rules: rules)
        try history.run("queue send lost cancel csend cunknown")
        #expect(history.order.status == .unconfirmed)
        try history.run("miss miss miss")
        #expect(history.order.status == .canceled)
        #expect(history.order.reason == .customerCanceled)
        #expect(history.actions.releases == 1)
    }

    @Test func afterItsSessionAnOrderThatIsNowhereWasNeverAccepted() throws {
        var rules = standardRules
        rules.sessionEndsAt = scriptStart + .seconds(100)
        var history = OrderScript(rules: rules)
        try history.run("queue send lost nolookup wait:200 miss")
        #expect(history.order.status == .unconfirmed)  // one miss is never enough
        try history.run("miss miss")
        #expect(history.order.status == .rejected)
        #expect(history.order.reason == .neverAccepted)
    }

    @Test func contradictionsRaiseAlerts() throws {
        func alerts(_ script: String) throws -> [OrderAlert] {
            var history = OrderScript()
            try history.run(script)
            return history.actions.alerts
        }
        #expect(try alerts("queue send ack canceled:0 fill:4:L") == [.lateExecution(ExecutionID("L"))])
        #expect(try alerts("queue send ack fill:12:O") == [.overfilled(by: Quantity(shares: 2))])
        #expect(
            try alerts("queue send refuse:NO ack") == [.contradiction(.acceptedAfterEnd(.rejected))])
        #expect(try alerts("queue cancel ack") == [.contradiction(.acceptedAfterEnd(.canceled))])
        #expect(try alerts("queue send ack fill:4 canceled:2") == [.brokerCountsLess(Quantity(shares: 2))])
        #expect(try alerts("queue send ack fill:4:A fill:5:A") == [.conflictingExecution(ExecutionID("A"))])
        #expect(try alerts("queue send ack fill:4:A bust:A") == [.reversed(ExecutionID("A"))])
        #expect(try alerts("queue send lost wait:1800 miss") == [.outcomeUnresolved])
        #expect(try alerts("queue send ack fill:4 fill:6 canceled:10").isEmpty)
    }

    @Test func anotherBrokerOrderIdIsRaisedAndNotTaken() throws {
        var history = OrderScript()
        try history.run("queue send ack")
        try history.apply(.acknowledged(BrokerOrderID("B-2")))
        #expect(try history.order.submission.brokerOrder == BrokerOrderID("B-1"))
        #expect(
            try history.actions.alerts == [
                .brokerOrderChanged(from: BrokerOrderID("B-1"), to: BrokerOrderID("B-2"))
            ])
    }

    @Test func aSaleIsPaidAndTakenBack() throws {
        var history = OrderScript(makeOrder(side: .sell))
        try history.run("queue send ack")
        try history.apply(.filled(execution("S1", 4, fee: "1.20")))
        #expect(history.actions.credited == 91_880)
        try history.run("bust:S1")
        #expect(history.actions.credited == 0)
        #expect(history.actions.captured == 0)
    }

    @Test func feesMayComeLaterAndAreTakenOnce() throws {
        var history = OrderScript()
        try history.run("queue send ack fill:4:A")
        #expect(history.actions.captured == 92_000)
        try history.apply(.feeReported(Money("0.92", .usd), of: ExecutionID("A")))
        try history.apply(.feeReported(Money("0.92", .usd), of: ExecutionID("A")))
        #expect(history.actions.captured == 92_092)
        try history.run("bust:A")
        #expect(history.actions.captured - history.actions.credited == 0)
        #expect(throws: InvalidTransition.self) {
            try history.apply(.feeReported(Money("0.92", .usd), of: ExecutionID("unknown")))
        }
        #expect(throws: InvalidTransition.self) {
            try history.apply(.feeReported(Money("92", .krw), of: ExecutionID("A")))
        }
    }

    @Test func nonsenseExecutionsAreRefused() throws {
        var history = OrderScript()
        try history.run("queue send ack")
        let before = history.order
        #expect(throws: InvalidTransition.self) { try history.apply(.filled(execution("Z", 0))) }
        #expect(throws: InvalidTransition.self) { try history.apply(.filled(execution("Z", -1))) }
        #expect(throws: InvalidTransition.self) { try history.apply(.filled(execution("Z", 1, at: "0"))) }
        let huge = Execution(
            id: try ExecutionID("Z"), quantity: Quantity(unscaled: .max), price: Price(unscaled: .max),
            fee: .zero(.usd), transactTime: scriptStart)
        #expect(throws: InvalidTransition.self) { try history.apply(.filled(huge)) }
        #expect(history.order == before)
    }

    @Test func aTwinUnderAnotherIdIsNotBooked() throws {
        var history = OrderScript()
        try history.run("queue send ack")
        try history.apply(.filled(execution("A", 4, brokerCum: 4)))
        try history.apply(.filled(execution("B", 4, brokerCum: 4)))
        try history.apply(.filled(execution("C", 4, brokerCum: 8)))
        #expect(try history.order.cumQuantity == Quantity(shares: 8))
        #expect(try history.actions.alerts == [.suspiciousTwin(ExecutionID("B"), of: ExecutionID("A"))])
    }

    @Test func fingerprintsFollowContent() {
        let terms = makeOrder().terms
        #expect(terms.fingerprint == makeOrder("order-2").terms.fingerprint)
        #expect(terms.fingerprint != makeOrder(quantity: 11).terms.fingerprint)
        #expect(terms.fingerprint != makeOrder(type: .market).terms.fingerprint)
        #expect(terms.fingerprint != makeOrder(side: .sell).terms.fingerprint)
        #expect(terms.fingerprint != makeOrder(timeInForce: .goodTillCancel).terms.fingerprint)
    }
}

@Suite struct OrderRecordTests {
    @Test func columnsThatMakeNoSenseAreNamed() throws {
        var history = OrderScript()
        try history.run("queue send lost")
        let order = history.order
        func column(_ change: (inout OrderRecord) -> Void) -> String? {
            var record = OrderRecord(order)
            change(&record)
            do {
                _ = try Order(id: order.id, terms: order.terms, record: record, executions: order.executions)
                return nil
            } catch { return error.column }
        }
        #expect(column { _ in } == nil)
        #expect(column { $0.lifecycle = "ALIVE" } == "lifecycle")
        #expect(column { $0.lifecycle = "CLOSED" } == "lifecycle")
        #expect(column { $0.lifecycle = "DENIED" } == "lifecycle")
        #expect(column { $0.submission = "GONE" } == "submission")
        #expect(column { $0.plannedAt = nil } == "submission")
        #expect(column { $0.plannedStep = nil } == "submission")
        #expect(column { $0.cancellation = "PERHAPS" } == "cancellation")
        #expect(column { $0.cancellation = "REFUSED" } == "cancellation")
        #expect(column { $0.pendingClosing = "FILLED" } == "pending_closing")
        #expect(column { $0.unsentAttempts = 9 } == "attempts")
        #expect(column { $0.version = -1 } == "version")
    }
}
