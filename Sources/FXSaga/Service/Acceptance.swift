internal import Contracts
internal import Domain
internal import Limits
internal import Postgres
internal import RPCCore
internal import ServiceKit

/// Decides once for each id: accepted, with price and limit fixed in one transaction, or refused.
struct Acceptance: Sendable {
    enum Decision: Hashable, Sendable {
        /// Just accepted; the lease is ours.
        case accepted(Claim)
        /// Accepted before, with the same content.
        case known
    }

    let store: ExchangeStore
    let rates: any RateProvider
    let configuration: FXSagaConfiguration

    /// - Throws: `Refusal`, or the store's error, after which the same request may be sent again.
    func decide(_ order: ExchangeOrder) async throws -> Decision {
        if let decision = try await remembered(order) { return decision }
        let price = try await price(order)
        let statement = AcceptExchange(
            snapshot: ExchangeSnapshot(
                id: order.id, customer: order.customer, source: order.source, target: order.target, price: price,
                purpose: order.purpose, traceparent: TraceContext.current?.traceparent ?? ""),
            bodyHash: order.bodyHash, quote: order.quote, counted: counted(price), dailyLimit: configuration.dailyLimit,
            owner: store.owner, lease: store.lease)
        do {
            let accepted = try await Deadline.within(store.timeout) { try await store.postgres.execute(statement) }
            if accepted == 1 { return .accepted(Claim(id: order.id, epoch: 1)) }
        } catch let error as PostgresError where error.isUniqueViolation() {
            // Somebody decided on this id, or took this quote, at the same time.
            guard let decision = try await remembered(order) else { throw error }
            return decision
        }
        if let quote = order.quote { try await refuse(order, quote) }
        return try await refuseForLimit(order)
    }

    /// What was decided on this id before; nil when nothing was.
    private func remembered(_ order: ExchangeOrder) async throws -> Decision? {
        let key = try await Deadline.within(store.timeout) { try await store.postgres.queryOne(FindKey(id: order.id)) }
        guard let key else { return nil }
        guard key.bodyHash == order.bodyHash else { throw Refusal.idReused(order.id) }
        guard let name = key.refusal else { return .known }
        guard let refusal = FinalRefusal(rawValue: name) else {
            throw StoredValueUnknown(column: "refusal", value: name)
        }
        throw Refusal.remembered(refusal, order.id)
    }

    /// The price of the quote, or of the moment.
    private func price(_ order: ExchangeOrder) async throws -> ExchangePrice {
        if let quote = order.quote {
            let found = try await find(quote)
            guard found.price.buy == order.buy, found.price.sell.currency == order.sellCurrency else {
                throw Refusal.quoteMismatch(quote)
            }
            return found.price
        }
        return try await currentPrice(buying: order.buy, selling: order.sellCurrency)
    }

    /// The price of the moment.
    func currentPrice(buying buy: Money, selling currency: Currency) async throws -> ExchangePrice {
        do {
            let published = try await rates.rate(between: buy.currency, and: currency)
            return try ExchangePrice(
                buying: buy, selling: currency, at: published, spread: configuration.spread)
        } catch let error as RateUnavailable {
            throw Refusal(error)
        } catch let error as ExchangeTermsError {
            throw Refusal(error)
        }
    }

    private func find(_ quote: QuoteID) async throws -> FindQuote.Row {
        let row = try await Deadline.within(store.timeout) { try await store.postgres.queryOne(FindQuote(id: quote)) }
        guard let row else { throw Refusal.quoteUnknown(quote) }
        return row
    }

    /// The leg that counts toward the daily limit.
    private func counted(_ price: ExchangePrice) -> Money {
        price.sell.currency == configuration.dailyLimit.currency ? price.sell : price.buy
    }

    /// Says why a quote could not be taken; returns when the quote was not the reason.
    private func refuse(_ order: ExchangeOrder, _ quote: QuoteID) async throws {
        let found = try await find(quote)
        if let user = found.usedBy {
            guard user == order.id.text else { throw Refusal.quoteUsed(quote) }
            return  // Taken by this very request, which the limit then refused.
        }
        throw Refusal.quoteExpired(quote)
    }

    /// Remembers the refusal, unless the id was decided on meanwhile.
    private func refuseForLimit(_ order: ExchangeOrder) async throws -> Decision {
        let refusal = FinalRefusal.dailyLimitExceeded
        _ = try await Deadline.within(store.timeout) {
            try await store.postgres.execute(
                RefuseExchange(id: order.id, bodyHash: order.bodyHash, refusal: refusal.rawValue))
        }
        if let decision = try await remembered(order) { return decision }
        throw Refusal.remembered(refusal, order.id)
    }
}
