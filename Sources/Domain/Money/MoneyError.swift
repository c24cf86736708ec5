/// Why an amount could not be computed. Never worth a retry: the input has to change.
public enum MoneyError: Error, Hashable, Sendable {
    /// Two amounts of different currencies met, or an amount met a rate that does not quote its currency.
    case currencyMismatch(Currency, Currency)
    /// The exact result does not fit 64 bits of minor units (or 128 bits on the way).
    case overflow
    /// An amount that has to be positive (or not negative) is not.
    case notPositive(Money)
}

extension MoneyError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .currencyMismatch(let a, let b): "amounts of \(a) and \(b) cannot be combined"
        case .overflow: "the amount is out of range"
        case .notPositive(let money): "\(money) is not a positive amount"
        }
    }
}
