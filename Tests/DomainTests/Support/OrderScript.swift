import Domain

let scriptStart = UnixTime(seconds: 1_793_000_000)

/// The broker of the tests: looks ids up, returns the original, shows accepted orders after 500 ms.
let lookUpBroker = BrokerCapabilities(
    broker: try! BrokerID("mock"), idempotencyMode: .returnOriginal, deduplicationWindow: .seconds(600),
    visibilityDelay: .milliseconds(500), looksUpByClientID: true, cancelsByClientID: true)

let standardRules = DispatchRules(policy: UnknownOrderPolicy(), broker: lookUpBroker)

func makeOrder(
    _ id: String = "order-1", side: Side = .buy, type: OrderType = .limit(try! Price("230.00")), quantity: Int64 = 10,
    timeInForce: TimeInForce = .day
) -> Order {
    Order(
        id: try! OrderID(id),
        terms: OrderTerms(
            customer: try! CustomerID("customer-1"), account: try! AccountID("usd-1"),
            clientOrder: try! ClientOrderID("mine-1"), instrument: try! InstrumentID("AAPL"), currency: .usd,
            side: side, type: type, timeInForce: timeInForce, quantity: try! Quantity(shares: quantity)))
}

func execution(
    _ id: String, _ shares: Int64, at price: String = "230.00", fee: String = "0.00", brokerCum: Int64? = nil,
    time: Int64 = 0
) -> Execution {
    try! Execution(
        id: ExecutionID(id), quantity: Quantity(shares: shares), price: Price(price), fee: Money(fee, .usd),
        brokerCumQuantity: brokerCum.map { cum throws(DecimalError) in try Quantity(shares: cum) },
        transactTime: scriptStart + .seconds(time))
}

/// A history written as words, for tables of cases. One second passes with each word.
///
/// `queue` stands for validation, hold and queueing; `send`, `ack`, `lost`, `refuse:CODE`, `reject:CODE`, `notsent`,
/// `miss`, `nolookup`, `fill:SHARES[:ID]`, `bust:ID`, `correct:ID:SHARES`, `cancel`, `csend`, `cack`, `crefuse`,
/// `cunknown`, `clost`, `canceled:SHARES`, `expired:SHARES`, `found:STATUS:SHARES`, `overdue`, `lapse`, `deny`,
/// `conclude`, `resume`, `wait:SECONDS`.
struct OrderScript {
    var order: Order
    var rules: DispatchRules
    var now = scriptStart
    var actions: [OrderAction] = []
    private var fills = 0

    init(_ order: Order = makeOrder(), rules: DispatchRules = standardRules) {
        self.order = order
        self.rules = rules
    }

    mutating func run(_ script: String) throws {
        for word in script.split(separator: " ") { try step(String(word)) }
    }

    mutating func apply(_ event: OrderEvent) throws(InvalidTransition) {
        actions += try order.apply(event, rules: rules)
    }

    private mutating func step(_ word: String) throws {
        let parts = word.split(separator: ":").map(String.init)
        func shares(_ index: Int) throws -> Quantity { try Quantity(parts[index]) }
        now = now + .seconds(1)
        switch parts[0] {
        case "queue":
            try apply(.validated(hold: order.terms.side == .buy ? Money("2300.00", .usd) : nil))
            try apply(.held(HoldID("hold-1")))
            try apply(.queued(at: now))
        case "validate": try apply(.validated(hold: Money("2300.00", .usd)))
        case "hold": try apply(.held(HoldID("hold-1")))
        case "send": try apply(.sending(attempt: order.submission.attempts + 1, at: now))
        case "ack": try apply(.acknowledged(BrokerOrderID("B-1")))
        case "lost": try apply(.outcomeUnknown(at: now))
        case "refuse": try apply(.refused(ReasonCode(rawValue: parts[1])))
        case "reject": try apply(.rejected(ReasonCode(rawValue: parts[1])))
        case "notsent": try apply(.notSent(at: now))
        case "miss": try apply(.lookUpMissed(at: now))
        case "nolookup": try apply(.lookUpFailed(at: now))
        case "fill":
            fills += 1
            let id = parts.count > 2 ? parts[2] : "E\(fills)"
            try apply(.filled(execution(id, Int64(parts[1])!)))
        case "bust": try apply(.busted(ExecutionID(parts[1]), by: ExecutionID("bust-\(parts[1])")))
        case "correct":
            try apply(.corrected(ExecutionID(parts[1]), with: execution("\(parts[1])c", Int64(parts[2])!)))
        case "cancel": try apply(.cancelRequested(at: now))
        case "csend": try apply(.cancelSending(attempt: order.cancelAttempts + 1, at: now))
        case "cack": try apply(.cancelAcknowledged)
        case "crefuse": try apply(.cancelRefused("TOO_LATE"))
        case "cunknown": try apply(.cancelFoundNoOrder(at: now))
        case "clost": try apply(.cancelOutcomeUnknown(at: now))
        case "canceled": try apply(.canceled(cumQuantity: shares(1)))
        case "expired": try apply(.expired(cumQuantity: shares(1)))
        case "found":
            let statuses: [String: BrokerOrderView.Status] = [
                "working": .working, "filled": .filled, "canceled": .canceled, "expired": .expired,
                "rejected": .rejected("BROKER"),
            ]
            try apply(
                .reported(
                    BrokerOrderView(
                        brokerOrder: BrokerOrderID("B-1"), status: statuses[parts[1]]!, cumQuantity: shares(2))))
        case "overdue": try apply(.closeOverdue)
        case "lapse": try apply(.lapsed)
        case "deny": try apply(.denied("MARKET_CLOSED"))
        case "conclude": try apply(.concludedNeverAccepted)
        case "resume": try apply(.resumed(at: now))
        case "withdraw": try apply(.resendWithdrawn(at: now))
        case "wait": now = now + .seconds(Int64(parts[1])!)
        default: throw UnknownWord(word: word)
        }
    }

    struct UnknownWord: Error { let word: String }
}

extension [OrderAction] {
    /// What the hold gave in all.
    var captured: Int64 {
        reduce(0) { sum, action in
            if case .captureHold(let money, _, _) = action { sum + money.minorUnits } else { sum }
        }
    }

    /// What went to the account less what was taken from it, holds aside.
    var credited: Int64 {
        reduce(0) { sum, action in
            switch action {
            case .credit(let money, _, _): sum + money.minorUnits
            case .debit(let money, _, _): sum - money.minorUnits
            default: sum
            }
        }
    }

    var position: Int64 {
        reduce(0) { sum, action in
            switch action {
            case .bookPosition(let execution): sum + execution.quantity.unscaled
            case .reversePosition(let execution): sum - execution.quantity.unscaled
            default: sum
            }
        }
    }

    var alerts: [OrderAlert] { compactMap { if case .alert(let alert) = $0 { alert } else { nil } } }
    var releases: Int { count { $0 == .releaseHold } }
    var notices: [OrderStatus] {
        compactMap { if case .notifyCustomer(let status, _) = $0 { status } else { nil } }
    }
}
