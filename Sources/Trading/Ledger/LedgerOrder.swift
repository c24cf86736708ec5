import Domain

/// An order as the ledger keeps it: the domain's order, and what belongs to it outside its state machine.
struct LedgerOrder: Sendable {
    var order: Order
    /// Over every term of the request, the funding account included.
    let fingerprint: String
    /// Pays for a shortfall of the order's currency; nil means no automatic exchange.
    let fundingAccount: AccountID?
    let broker: BrokerID
    /// When the session ends for which the order was entered; nil when it does not end with a session.
    let sessionEndsAt: UnixTime?
    /// Why it was denied or rejected, for people.
    var reasonText = ""
    /// Reports about executions booked so far, busts and corrections included.
    var bookedReports: Set<ExecutionID> = []
    /// Whether a request to hold money ended without a known outcome.
    var isHoldDoubtful = false
    /// What is still held, as the account last told; nil before anything was held.
    var holdRemaining: Money?
    /// Shares of the position that are set aside for this order.
    var sharesHeld = Quantity.zero
    /// The exchange that funds it: fixed before it is first asked for.
    var exchange: FundingExchange?
    /// Whether the exchange has brought the money.
    var isFunded = false
    /// Counts the recorded events. Not the domain's own count: an event without a change of state counts too.
    var version: Int64
    let traceparent: String
    let createdAt: UnixTime
    var updatedAt: UnixTime

    var id: OrderID { order.id }
    var terms: OrderTerms { order.terms }
}

/// The exchange that buys exactly what the account lacks for an order.
struct FundingExchange: Hashable, Sendable {
    let id: ExchangeID
    /// What arrives on the order's account.
    let amount: Money
}

extension OrderID {
    /// The hold's id is the order's: there is one hold for each order.
    var holdID: HoldID { derived(suffix: "") }
    /// How many exchanges are asked for, one after the other, before an order is given up whose exchanges break off.
    static var maximumExchanges: Int { 3 }
    /// The exchange that funds the order, after `last` was broken off and moved nothing; nil when that was the last.
    func fundingExchangeID(after last: ExchangeID?) -> ExchangeID? {
        let ids: [ExchangeID] = (1...Self.maximumExchanges).map { derived(suffix: $0 == 1 ? "-fx" : "-fx\($0)") }
        guard let last else { return ids[0] }
        return ids.firstIndex(of: last).flatMap { $0 + 1 < ids.count ? ids[$0 + 1] : nil }
    }
    /// The key of the one release.
    var releaseKey: String { "\(text)/release" }

    private func derived<Other: IDKind>(suffix: String) -> ID<Other> {
        do { return try ID<Other>(text + suffix) } catch {
            preconditionFailure("an order id is short enough for every id that derives from it: \(error)")
        }
    }
}
