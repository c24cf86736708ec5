internal import Contracts
internal import Domain
internal import Protobuf

// How stored exchanges look on the wire.

extension FXExchange {
    init(_ record: ExchangeRecord, replayed: Bool) {
        self.init(record.snapshot, state: record.state, reason: record.reason, replayed: replayed)
        log = record.log.map(FXExchangeLogEntry.init)
    }

    /// Without its log.
    init(_ snapshot: ExchangeSnapshot, state: ExchangeState, reason: ReasonCode?, replayed: Bool = false) {
        let price = snapshot.price
        self.init(
            exchangeID: snapshot.id.text, customerID: snapshot.customer.text, sourceAccountID: snapshot.source.text,
            targetAccountID: snapshot.target.text, sell: WireMoney(price.sell), buy: WireMoney(price.buy),
            rate: WireFxRate(price.published), state: FXExchangeState(state), reason: reason?.rawValue ?? "",
            replayed: replayed, spreadBasisPoints: price.spread.rawValue)
    }
}

extension FXExchangeLogEntry {
    init(_ line: ExchangeLogLine) {
        self.init(
            seq: line.seq, state: FXExchangeState(line.state), epoch: line.epoch, detail: line.detail,
            at: Google_Protobuf_Timestamp(microseconds: line.at))
    }
}

extension FXQuote {
    init(_ id: QuoteID, _ price: ExchangePrice, expiresAt microseconds: Int64) {
        self.init(
            quoteID: id.text, rate: WireFxRate(price.published), spreadBasisPoints: price.spread.rawValue,
            buy: WireMoney(price.buy), sell: WireMoney(price.sell),
            expiresAt: Google_Protobuf_Timestamp(microseconds: microseconds))
    }
}

extension WireFxRate {
    init(_ published: PublishedRate) {
        self.init(published.rate, id: published.id.text, date: "\(published.date)")
    }
}

extension Google_Protobuf_Timestamp {
    /// Since 1970, not before.
    fileprivate init(microseconds: Int64) {
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        self.init(seconds: seconds, nanos: Int32(rest) * 1_000)
    }
}

extension FXExchangeState {
    init(_ state: ExchangeState) {
        self =
            switch state {
            case .requested: .requested
            case .withdrawRequested: .withdrawRequested
            case .withdrawSucceeded: .withdrawSucceeded
            case .withdrawRefused: .withdrawRefused
            case .withdrawUnknown: .withdrawUnknown
            case .depositRequested: .depositRequested
            case .depositSucceeded: .depositSucceeded
            case .depositRefused: .depositRefused
            case .depositUnknown: .depositUnknown
            case .cancelRequested: .cancelRequested
            case .completed: .completed
            case .failed: .failed
            case .cancelled: .cancelled
            case .parked: .parked
            }
    }
}
