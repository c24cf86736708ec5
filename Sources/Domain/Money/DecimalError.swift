/// Why a decimal number could not be taken exactly. Never worth a retry.
public enum DecimalError: Error, Hashable, Sendable {
    /// Not of the form `-?digits(.digits)?`, or longer than 40 characters.
    case malformed
    /// More places after the point than the value can hold (trailing zeros are not counted).
    case tooManyDecimals(limit: Int)
    /// The value does not fit 64 bits at its scale.
    case outOfRange
}

extension DecimalError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed: "not a decimal number"
        case .tooManyDecimals(let limit): "more than \(limit) decimal places"
        case .outOfRange: "the number is out of range"
        }
    }
}
