/// What is too much. `CapacityGates` counts.
package enum CapacityFault: Hashable, Sendable {
    case tokenBucket(perSecond: Double, burst: Int)
    /// `queue` more wait for their turn.
    case concurrency(limit: Int, queue: Int)
    /// Waits for each request under way beyond `free`.
    case brownOut(perRequest: Duration, free: Int)
}
