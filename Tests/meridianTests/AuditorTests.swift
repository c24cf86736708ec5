import Contracts
import Domain
import Protobuf
import Testing

@testable import meridian

/// Every check passes on books that agree, and fails on books with the one fault that it is there to find.
@Suite struct AuditorTests {
    @Test func passesBooksThatAgree() {
        let checks = Auditor.check(.sound)
        #expect(checks.count == 10)
        for check in checks {
            #expect(check.passed, "\(check.text)")
            #expect(check.checked > 0, "\(check.name) looked at nothing")
        }
    }

    @Test func passesEmptyBooks() {
        for check in Auditor.check(Books()) { #expect(check.passed, "\(check.text)") }
    }

    struct Fault: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// The check that must find it.
        let check: @Sendable (Books) -> AuditCheck
        /// Part of what the check must say.
        let says: String
        let fault: @Sendable (inout Books) -> Void

        init(
            _ name: String, _ check: @escaping @Sendable (Books) -> AuditCheck, _ says: String,
            _ fault: @escaping @Sendable (inout Books) -> Void
        ) {
            testDescription = name
            self.check = check
            self.says = says
            self.fault = fault
        }
    }

    static let faults: [Fault] = [
        Fault("two broker orders", Auditor.oneBrokerOrderEach, "buy: the broker knows 2 orders") {
            $0.truth.orders.append($0.truth.orders[0])
        },
        Fault("a broker order of nobody", Auditor.oneBrokerOrderEach, "stray: the broker has it") {
            $0.truth.orders.append(BrokerOrder(orderID: "b9", clientOrderID: "stray", ordStatus: .new))
        },
        Fault("filled, and unknown to the broker", Auditor.oneBrokerOrderEach, "the broker does not have it") {
            $0.truth.orders.removeAll { $0.clientOrderID == "buy" }
        },
        Fault("denied, and at the broker", Auditor.oneBrokerOrderEach, "buy: denied") {
            $0.orders[0].ordStatus = .denied
        },
        Fault("another filled quantity", Auditor.statesAgree, "buy: filled 2000000000, at the broker 1000000000") {
            $0.orders[0].cumQty = shares(2)
        },
        Fault("another status", Auditor.statesAgree, "buy: new, at the broker filled") {
            $0.orders[0].ordStatus = .new
        },
        Fault("an unconfirmed order", Auditor.nothingUnfinished, "buy: unconfirmed") {
            $0.orders[0].ordStatus = .unconfirmed
        },
        Fault("an order for a person", Auditor.nothingUnfinished, "buy: needsReview") {
            $0.orders[0].ordStatus = .needsReview
        },
        Fault("an order nobody answered", Auditor.nothingUnfinished, "buy: pendingNew") {
            $0.orders[0].ordStatus = .pendingNew
        },
        Fault("a cancel nobody answered", Auditor.nothingUnfinished, "buy: pendingCancel") {
            $0.orders[0].ordStatus = .pendingCancel
        },
        Fault("a lost execution", Auditor.executionsStored, "e1: the receiver does not have it") {
            $0.stored.removeAll()
        },
        Fault("an execution stored twice", Auditor.executionsStored, "stored twice") {
            $0.stored.append($0.stored[0])
        },
        Fault("an execution changed on the way", Auditor.executionsStored, "e1: stored with other content") {
            $0.stored[0].report?.lastQty = shares(2)
        },
        Fault("an execution not published", Auditor.executionsStored, "e1: not published") {
            $0.stored[0].published = false
        },
        Fault("an execution from nowhere", Auditor.executionsStored, "e2: the broker does not know it") {
            $0.stored.append(FillsStoredExecution(report: BrokerExecutionReport(execID: "e2"), published: true))
        },
        Fault("a feed read in part", Auditor.feedComplete, "mock: stored 0 of 1") {
            $0.highWater[0].storedSequence = 0
        },
        Fault("a feed published in part", Auditor.feedComplete, "1 unpublished") { $0.highWater[0].unpublished = 1 },
        Fault("more filled than executed", Auditor.quantitiesDerived, "buy: 2000000000, executions 1000000000") {
            $0.orders[0].cumQty = shares(2)
        },
        Fault("executed, and not filled", Auditor.quantitiesDerived, "buy: 0, executions 1000000000") {
            $0.orders[0].cumQty = nil
        },
        Fault("a position too large", Auditor.positionsAgree, "AAPL: 3000000000 nano-shares") {
            $0.positions[0].qty = shares(3)
        },
        Fault("a position only here", Auditor.positionsAgree, "IBM: 1000000000 nano-shares, at the broker 0") {
            $0.positions.append(TradingPosition(accountID: "a", symbol: "IBM", qty: shares(1)))
        },
        Fault("a position only there", Auditor.positionsAgree, "AAPL: 0 nano-shares") { $0.positions.removeAll() },
        Fault("no hold", Auditor.holdsResolved, "buy: there is no hold") { $0.holds["buy"] = nil },
        Fault("a hold whose parts do not add up", Auditor.holdsResolved, "buy: 100 ≠ 60 + 39 + 0") {
            $0.holds["buy"]?.released = dollars(39)
        },
        Fault("a hold that outlives its order", Auditor.holdsResolved, "buy: closed, and 40 still held") {
            $0.holds["buy"]?.released = dollars(0)
            $0.holds["buy"]?.remaining = dollars(40)
        },
        Fault("a hold still open", Auditor.holdsResolved, "buy: closed, and 0 still held") {
            $0.holds["buy"]?.state = .open
        },
        Fault("one-sided entries", Auditor.postingsBalance, "account-fx USD: entries sum to 1") {
            $0.trialBalances[.accountFX]?.lines[0].sumOfEntries = 1
        },
        Fault("a balance out of step", Auditor.postingsBalance, "2 accounts") {
            $0.trialBalances[.accountFX]?.lines[0].accountsOutOfStep = 2
        },
        Fault("a hold out of step", Auditor.postingsBalance, "3 holds out of step") {
            $0.trialBalances[.accountFX]?.lines[0].holdsOutOfStep = 3
        },
        Fault("completed with one leg", Auditor.exchangesPaired, "x1: completed, withdrawal applied, deposit none") {
            $0.operations["x1/deposit"] = nil
        },
        Fault("failed, and the money taken", Auditor.exchangesPaired, "x1: failed, withdrawal applied") {
            $0.exchanges[0].state = .failed
        },
        Fault("cancelled, and the money given", Auditor.exchangesPaired, "x1: cancelled, withdrawal none") {
            $0.exchanges[0].state = .cancelled
            $0.operations["x1/withdraw"] = nil
        },
        Fault("an exchange under way", Auditor.exchangesPaired, "x1: depositUnknown") {
            $0.exchanges[0].state = .depositUnknown
        },
    ]

    @Test(arguments: faults)
    func finds(_ fault: Fault) {
        var books = Books.sound
        fault.fault(&books)
        let check = fault.check(books)
        #expect(!check.passed)
        #expect(check.violations.contains { $0.contains(fault.says) }, "\(check.text)")
        #expect(Auditor.check(books).contains { !$0.passed && $0.name == check.name }, "the audit includes it")
    }

    /// Other orders' holds are not missed: sales have none, and neither have orders denied at the door.
    @Test func asksForNoHoldWhereThereIsNone() {
        var books = Books.sound
        books.orders.append(TradingOrder(orderID: "sale", side: .sell, ordStatus: .rejected))
        books.orders.append(TradingOrder(orderID: "denied", side: .buy, ordStatus: .denied))
        #expect(Auditor.holdsResolved(books).passed)
    }
}

@Suite struct AuditCheckTests {
    @Test func showsFiveViolationsAndCountsTheRest() {
        let check = AuditCheck(name: "a check", checked: 9, violations: (1...7).map { "v\($0)" })
        let lines = check.text.split(separator: "\n").map(String.init)
        #expect(lines == ["✗ a check (9 checked)"] + (1...5).map { "    v\($0)" } + ["    and 2 more"])
    }

    @Test func isOneLineWhenAllIsWell() {
        #expect(AuditCheck(name: "a check", checked: 3, violations: []).text == "✓ a check (3 checked)")
    }
}

private func shares(_ number: Int64) -> WireDecimal { WireDecimal(unscaled: number, scale: 0) }

private func dollars(_ cents: Int64) -> WireMoney { WireMoney(Money(minorUnits: cents, currency: .usd)) }

extension Books {
    /// One purchase of one share, filled, paid from an exchange that was completed.
    fileprivate static var sound: Books {
        var books = Books()
        let report = BrokerExecutionReport(
            execID: "e1", execType: .trade, ordStatus: .filled, orderID: "b1", clientOrderID: "buy", symbol: "AAPL",
            side: .buy, lastQty: shares(1), cumQty: shares(1))
        books.truth.orders = [
            BrokerOrder(orderID: "b1", clientOrderID: "buy", ordStatus: .filled, cumQty: shares(1))
        ]
        books.truth.reports = [BrokerSequencedReport(sequence: 1, report: report)]
        books.truth.positions = [BrokerPosition(symbol: "AAPL", qty: shares(1))]
        books.stored = [FillsStoredExecution(brokerID: "mock", receiverSequence: 1, report: report, published: true)]
        books.highWater = [FillsHighWater(brokerID: "mock", storedSequence: 1, brokerSequence: 1, connected: true)]
        books.orders = [
            TradingOrder(orderID: "buy", symbol: "AAPL", side: .buy, ordStatus: .filled, cumQty: shares(1))
        ]
        books.positions = [TradingPosition(accountID: "a", symbol: "AAPL", qty: shares(1))]
        books.holds["buy"] = AccountHold(
            holdID: "buy", amount: dollars(100), captured: dollars(60), released: dollars(40), remaining: dollars(0),
            state: .closed)
        books.trialBalances[.accountFX] = AccountTrialBalance(
            lines: [AccountTrialBalanceLine(currency: "USD", entries: 4)])
        books.exchanges = [FXExchange(exchangeID: "x1", state: .completed)]
        books.operations["x1/withdraw"] = AccountMoneyOperation(operationKey: "x1/withdraw", outcome: .applied)
        books.operations["x1/deposit"] = AccountMoneyOperation(operationKey: "x1/deposit", outcome: .applied)
        return books
    }
}
