/// The band around the last price.
enum PriceCollar {
    /// The last price plus the collar, rounded up; nil when it does not fit.
    static func highest(from last: Price, _ collar: BasisPoints) -> Price? {
        do { return try last + collar.share(of: last, rounding: .ceiling) } catch { return nil }
    }

    /// The last price less the collar, rounded down; nil when it does not fit.
    static func lowest(from last: Price, _ collar: BasisPoints) -> Price? {
        do { return try last - collar.share(of: last, rounding: .ceiling) } catch { return nil }
    }
}
