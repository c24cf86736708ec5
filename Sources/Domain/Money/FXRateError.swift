/// Why an exchange rate is none.
public enum FXRateError: Error, Hashable, Sendable {
    case sameCurrency(Currency)
    case outOfRange
    case malformed(DecimalError)
}
