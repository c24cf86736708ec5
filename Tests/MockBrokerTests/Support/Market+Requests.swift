import Contracts
import Domain
import MockBroker

extension Desk {
    /// What the broker says to a replace request, in a word.
    @discardableResult
    mutating func replace(
        _ original: String, request: String, shares count: Int64, limit: Price? = nil, _ account: AccountID = alice,
        _ rules: BookRules = venue
    ) -> String {
        let request = key(request, account)
        let arrival = arrive(.replaceOrder, request)
        let terms = ReplaceTerms(quantity: shares(count), limit: limit)
        do {
            let decision = try book.replace(
                .client(key(original, account)), by: terms, request: request, arrival, at: now, rules)
            take(decision.records)
            return "taken"
        } catch {
            return "\(error.reason)"
        }
    }

    /// Fills an order by hand.
    mutating func fill(_ text: String, _ count: Int64, at price: Price? = nil) throws {
        take([
            try book.fillByHand(id(text), account: alice, quantity: shares(count), price: price, at: now, venue)
        ])
    }

    /// The id of the n-th trade, counted from 0.
    func trade(_ number: Int) -> BrokerExecutionID { book.id(of: book.executions[number]) }

    /// What the broker says to a bust, in a word.
    @discardableResult
    mutating func bust(_ id: BrokerExecutionID) -> String {
        do throws(BrokerRefusal) {
            take([try book.bust(id, text: "", at: now, venue)])
            return "void"
        } catch {
            return "\(error.reason)"
        }
    }

    /// What the broker says to a correction, in a word.
    @discardableResult
    mutating func correct(_ id: BrokerExecutionID, shares count: Int64? = nil, price: Price? = nil) -> String {
        do throws(BrokerRefusal) {
            take([try book.correct(id, quantity: count.map(shares), price: price, text: "", at: now, venue)])
            return "corrected"
        } catch {
            return "\(error.reason)"
        }
    }

    /// The feed in short: kind, shares, filled and what is left.
    var story: [String] {
        book.feed.map { entry in
            let last = entry.lastQuantity.isZero ? "" : " \(entry.lastQuantity)"
            return "\(entry.kind)\(last) \(entry.status) \(entry.filled)+\(entry.leaves)"
        }
    }

    /// Alice's shares of Apple.
    var held: Quantity { book.positions[PositionKey(account: alice, symbol: apple)] ?? .zero }
}

extension BrokerRule {
    /// A fault in the life of the orders that it matches.
    static func orders(_ fault: BrokerOrderFault.Fault, id: String = "fault") -> BrokerRule {
        BrokerRule(ruleID: id, action: .order(BrokerOrderFault(fault: fault)))
    }

    /// Orders do not fill by themselves.
    static let never = script(BrokerFillScript(shape: .never(BrokerNeverFill())))

    static func script(_ script: BrokerFillScript) -> BrokerRule {
        BrokerRule(ruleID: "script", action: .fills(script))
    }

    /// Cancels and replacements are carried out late.
    static func slow(_ delay: Duration) -> BrokerRule { orders(.slow(BrokerSlow(latency: .fixed(delay))), id: "slow") }
}
