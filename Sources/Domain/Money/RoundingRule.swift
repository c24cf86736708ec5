/// How an exact quotient becomes a whole number. Every use in the books names its rule.
public enum RoundingRule: String, Sendable, Hashable, CaseIterable {
    /// Toward negative infinity: what a customer receives.
    case floor
    /// Toward positive infinity: what a customer pays, and what is held.
    case ceiling
    /// To the nearest, ties to the even neighbour: statistics only, never postings.
    case halfEven
    /// To the nearest, ties away from zero: the customary rounding of trade amounts.
    case halfUp

    /// The whole number that this rule makes of `numerator / denominator`.
    ///
    /// - Precondition: `denominator` is positive.
    public func quotient(_ numerator: Int128, by denominator: Int128) -> Int128 {
        precondition(denominator > 0, "rounding divides by a positive number")
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)  // toward zero
        guard remainder != 0 else { return quotient }
        let awayFromZero: Int128 = numerator < 0 ? quotient - 1 : quotient + 1
        switch self {
        case .floor: return numerator < 0 ? awayFromZero : quotient
        case .ceiling: return numerator < 0 ? quotient : awayFromZero
        case .halfEven, .halfUp:
            let twice = remainder.magnitude * 2
            let whole = denominator.magnitude
            if twice != whole { return twice > whole ? awayFromZero : quotient }
            return self == .halfUp || quotient % 2 != 0 ? awayFromZero : quotient
        }
    }
}
