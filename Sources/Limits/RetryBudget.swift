/// A token bucket that lets retries through only while most calls succeed (gRFC A6, "retry throttling").
///
/// A failure takes one token, a success returns a tenth; retries are allowed above half of the capacity. Counted in
/// tenths, so that no floating point is needed. Confine it to one thread or guard it with a lock.
public struct RetryBudget: Sendable, Hashable {
    private let capacityTenths: Int
    private var tenths: Int

    /// - Parameter capacity: tokens when full, 1 to 1000.
    public init(capacity: Int = 10) {
        precondition((1...1000).contains(capacity), "a retry budget has 1 to 1000 tokens")
        capacityTenths = capacity * 10
        tenths = capacityTenths
    }

    public var allowsRetry: Bool { tenths > capacityTenths / 2 }
    public mutating func recordSuccess() { tenths = min(capacityTenths, tenths + 1) }
    public mutating func recordFailure() { tenths = max(0, tenths - 10) }
}
