/// The yearly rate on one slice of a balance.
public struct InterestTier: Hashable, Sendable {
    /// The slice ends here; nil for the last one.
    public let upTo: Money?
    public let rate: BasisPoints

    public init(upTo: Money?, rate: BasisPoints) {
        precondition(rate >= .zero, "interest on a customer's money is not negative")
        self.upTo = upTo
        self.rate = rate
    }
}
