/// A token bucket that lets retries through only while most calls succeed (gRFC A6, "retry throttling").
///
/// A failure takes one token, a success returns a part of one; retries are allowed above half of the capacity. Counted
/// in thousandths, so that no floating point is needed. Confine it to one thread or guard it with a lock.
public struct RetryBudget: Sendable, Hashable {
    private let capacityThousandths: Int
    private let returnedThousandths: Int
    private var thousandths: Int

    /// - Parameters:
    ///   - capacity: tokens when full, 1 to 1000.
    ///   - returnedThousandths: what a success gives back, in thousandths of a token.
    public init(capacity: Int = 10, returnedThousandths: Int = 100) {
        precondition((1...1000).contains(capacity), "a retry budget has 1 to 1000 tokens")
        precondition(returnedThousandths > 0, "a success gives something back")
        capacityThousandths = capacity * 1000
        self.returnedThousandths = min(returnedThousandths, capacityThousandths)
        thousandths = capacityThousandths
    }

    public var allowsRetry: Bool { thousandths > capacityThousandths / 2 }
    public mutating func recordSuccess() { thousandths = min(capacityThousandths, thousandths + returnedThousandths) }
    public mutating func recordFailure() { thousandths = max(0, thousandths - 1000) }
}
