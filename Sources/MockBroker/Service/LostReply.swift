internal import Limits
internal import RPCCore

/// What a caller sees of a request or reply that got lost: nothing.
enum LostReply {
    /// Waits until the caller stops waiting, at most `limit`, and never returns.
    ///
    /// The transport cancels this task when the caller has gone or its deadline has passed; a caller that would wait for
    /// ever finds, after `limit`, what a broken connection looks like: UNAVAILABLE without any detail.
    static func hold(_ context: ServerContext, atMost limit: Duration) async throws -> Never {
        let end = min(ContinuousClock.now + limit, context.deadline?.instant ?? ContinuousClock.now + limit)
        try await Task.sleep(until: end, clock: .continuous)
        throw Status(.unavailable, "connection lost")
    }
}
