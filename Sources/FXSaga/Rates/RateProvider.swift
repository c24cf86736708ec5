public import Domain

/// Where exchange rates come from.
public protocol RateProvider: Sendable {
    /// The rate at which `one` and `other` are exchanged at this moment, quoted either way round.
    ///
    /// Obeys `Deadline.current`.
    func rate(between one: Currency, and other: Currency) async throws(RateUnavailable) -> PublishedRate
}

/// A rate as its source published it, before any spread.
public struct PublishedRate: Sendable, Hashable {
    public let rate: FXRate
    /// Who published it and which one it is.
    public let id: RateID
    /// The date of the rate at its source.
    public let date: CivilDate

    public init(rate: FXRate, id: RateID, date: CivilDate) {
        self.rate = rate
        self.id = id
        self.date = date
    }
}

/// Why there is no rate. Another attempt may find one, except for a pair that the source does not publish.
public enum RateUnavailable: Error, Hashable, Sendable {
    /// The source does not publish this pair.
    case unknownPair(Currency, Currency)
    /// Nothing was published on or before the date.
    case beforeFirst(CivilDate)
    /// The source cannot be reached now.
    case sourceUnreachable(String)
}
