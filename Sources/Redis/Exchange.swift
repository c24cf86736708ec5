internal import EventLoop
internal import Limits

/// Commands that were submitted together, and the answers that have come so far.
///
/// @unchecked: touched on its loop's thread only; references may be handed around.
final class Exchange: @unchecked Sendable {
    typealias Outcome = Result<[RedisValue], RedisError>

    /// Answers to expect.
    let count: Int
    /// Whether a connection has taken the bytes, so that the server may see them.
    var isSubmitted = false
    private(set) var submittedAt = ContinuousClock.now
    private let loop: EventLoop
    private var replies: [RedisValue] = []
    private var continuation: CheckedContinuation<Outcome, Never>?
    private var timer: LoopTimer?

    /// An exchange that nobody awaits.
    init(count: Int, on loop: EventLoop) {
        self.count = count
        self.loop = loop
    }

    /// Submits commands and waits for their answers, until `deadline` or the task's cancellation. On the loop.
    ///
    /// - Parameter submit: hands the exchange on, to be ended by `receive` or `fail`; what it throws is the outcome.
    static func run(
        count: Int, on loop: EventLoop, by deadline: Deadline, submit: (Exchange) throws(RedisError) -> Void
    ) async throws(RedisError) -> [RedisValue] {
        loop.preconditionOnLoop()
        guard !Task.isCancelled else { throw RedisError(.cancelled, "the command was cancelled") }
        guard !deadline.hasPassed else { throw RedisError(.deadlineExceeded, "the deadline has passed") }
        let exchange = Exchange(count: count, on: loop)
        let outcome: Outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                exchange.continuation = continuation
                exchange.timer = loop.schedule(at: deadline) {
                    exchange.fail(.deadlineExceeded, "no answer in time")
                }
                do throws(RedisError) {
                    try submit(exchange)
                } catch {
                    exchange.fail(error)
                }
            }
        } onCancel: {
            loop.spawn { exchange.fail(.cancelled, "the command was cancelled") }
        }
        return try outcome.get()
    }

    /// Whether somebody still waits for the answers.
    var isAwaited: Bool { continuation != nil }

    func submitted() {
        isSubmitted = true
        submittedAt = .now
    }

    /// Takes the next answer; true when it was the last.
    func receive(_ reply: RedisValue) -> Bool {
        replies.append(reply)
        guard replies.count == count else { return false }
        end(.success(replies))
        return true
    }

    /// Ends the waiting with an error; does nothing when it has ended. Answers that come later are dropped.
    func fail(_ error: RedisError) { end(.failure(error)) }

    private func fail(_ reason: RedisError.Reason, _ message: String) {
        fail(RedisError(reason, message, certainty: isSubmitted ? .unknown : .notApplied))
    }

    private func end(_ outcome: Outcome) {
        loop.preconditionOnLoop()
        guard let continuation else { return }
        self.continuation = nil
        if let timer { loop.cancel(timer) }
        timer = nil
        continuation.resume(returning: outcome)
    }
}
