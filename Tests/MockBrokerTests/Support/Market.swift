import Contracts
import Domain
import MockBroker

/// A calendar without holidays whose day ends at midnight UTC.
struct PlainCalendar: TradingCalendar {
    func tradeDate(at time: UnixTime) -> CivilDate { CivilDate(epochDay: Int32(time.seconds / 86_400)) }
    func end(of tradeDate: CivilDate) -> UnixTime { UnixTime(seconds: (Int64(tradeDate.epochDay) + 1) * 86_400) }
    func coreSession(from time: UnixTime) -> Range<UnixTime> { hours(14..<21, from: time) }
    func extendedSession(from time: UnixTime) -> Range<UnixTime> { hours(9..<23, from: time) }

    private func hours(_ hours: Range<Int64>, from time: UnixTime) -> Range<UnixTime> {
        let midnight = time.seconds / 86_400 * 86_400
        let today =
            UnixTime(
                seconds: midnight + hours.lowerBound * 3600)..<UnixTime(seconds: midnight + hours.upperBound * 3600)
        return time < today.upperBound
            ? today : today.lowerBound + .seconds(86_400)..<today.upperBound + .seconds(86_400)
    }

    func isTradeDate(_ date: CivilDate) -> Bool { true }
    func settlementDate(of tradeDate: CivilDate) -> CivilDate { tradeDate + 1 }
    func settlementTime(of tradeDate: CivilDate) -> UnixTime { end(of: tradeDate) }
}

/// 2026-11-20 15:00 UTC.
let start = UnixTime(seconds: 1_795_186_800)
let alice = AccountID(rawValue: "alice")!
let apple = InstrumentID(rawValue: "AAPL")!
let applePrice = Price(unscaled: 223_0200)
let venue = BookRules(idLimit: 100_000, calendar: PlainCalendar())

func id(_ text: String) -> ClientOrderID { ClientOrderID(rawValue: text)! }
func key(_ text: String, _ account: AccountID = alice) -> OrderKey { OrderKey(account: account, clientOrder: id(text)) }
func shares(_ count: Int64) -> Quantity { Quantity(unscaled: count * Quantity.nanosPerShare) }

/// An order for Apple; a market order for one share unless told otherwise.
func order(
    _ text: String, account: AccountID = alice, symbol: InstrumentID = apple, side: Side = .buy,
    limit: Price? = nil, shares count: Int64 = 1, timeInForce: TimeInForce = .day
) -> OrderContent {
    OrderContent(
        key: key(text, account), symbol: symbol, side: side, type: limit.map(OrderType.limit) ?? .market,
        quantity: shares(count), timeInForce: timeInForce)
}

/// A book with its records, driven by hand.
struct Desk {
    var book = BrokerBook()
    var now = start
    var records: [BrokerRecord] = []

    init(_ configure: (inout Behavior) -> Void = { _ in }, _ rules: [BrokerRule] = []) {
        var behavior = Behavior()
        configure(&behavior)
        take([.behaviorSet(behavior, .configuration, at: now), .priceSet(apple, applePrice, at: now)])
        for rule in rules {
            do {
                take([.rulePut(try Rule(rule), .control, at: now)])
            } catch {
                preconditionFailure("\(error)")
            }
        }
    }

    init(_ rules: [BrokerRule]) { self.init({ _ in }, rules) }

    mutating func take(_ new: [BrokerRecord]) {
        for record in new {
            do { try book.apply(record) } catch { preconditionFailure("\(error)") }
        }
        records += new
    }

    /// Takes note of a request, as every request is.
    mutating func arrive(_ operation: Operation, _ key: OrderKey, _ terms: OrderContent? = nil) -> Arrival {
        let fact = RequestFact(
            operation: operation, subject: "order:\(key.account)/\(key.clientOrder)", account: key.account.text,
            clientOrder: key.clientOrder.text)
        do {
            let decision = try book.arrive(fact, terms: terms, at: now, venue)
            take(decision.records)
            return decision.answer
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// What the broker says to an order, in a word.
    @discardableResult
    mutating func place(_ content: OrderContent, traceparent: String = "", _ rules: BookRules = venue) -> String {
        let arrival = arrive(.placeOrder, content.key, content)
        do {
            let decision = try book.place(content, traceparent: traceparent, arrival, at: now, rules)
            take(decision.records)
            if case .replayed = decision.answer { return "replayed" }
            return "accepted"
        } catch {
            return "\(error.reason)"
        }
    }

    /// What the broker says to a cancel request, in a word.
    @discardableResult
    mutating func cancel(_ original: String, request: String, _ account: AccountID = alice) -> String {
        let request = key(request, account)
        let arrival = arrive(.cancelOrder, request)
        do {
            let decision = try book.cancel(.client(key(original, account)), request: request, arrival, at: now)
            take(decision.records)
            return "taken"
        } catch {
            return "\(error.reason)"
        }
    }

    /// Moves the time forward and does what is due, each at its time.
    mutating func advance(milliseconds: Int64 = 0) {
        now = now + .milliseconds(milliseconds)
        // It may take several calls until a look comes to something.
        while let item = book.nextDue(), item.at <= now {
            if let record = book.recordDue(by: now, venue) { take([record]) }
        }
    }

    func state(_ text: String) -> String {
        guard let order = book.order(key(text)) else { return "none" }
        return "\(order.status) \(order.filled)/\(order.content.quantity)"
    }

    /// The kinds of the feed's reports, in order.
    var feedKinds: [ReportKind] { book.feed.map(\.kind) }
}

/// SplitMix64: the same seed gives the same history on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
