internal import Limits
internal import RPCCore
internal import Synchronization

/// How far a failed attempt got.
enum AttemptReach: Sendable, Hashable {
    /// There was no connection to try.
    case unplaced
    /// It had a connection, which ended before the request left.
    case unsent
    /// The server says that no handler has seen it: REFUSED_STREAM, or a GOAWAY with a lower last id.
    case refused
    /// A handler may have seen it.
    case sent
}

/// What was tried for one call, and the decision whether to try again. Source: gRFC A6.
struct RetryLedger {
    let policy: RetryPolicy?
    /// Attempts by the policy after the first.
    private(set) var retries = 0
    /// Attempts made again since no handler had seen them; they count for nothing else.
    private(set) var transparentRetries = 0
    /// Of all pauses before retries.
    private(set) var delay = Duration.zero
    private var retriesSincePushback = 0
    private var refusalWasRetried = false

    init(policy: RetryPolicy?) { self.policy = policy }

    /// The pause before the next attempt; nil when the failure is final. Ask only while nothing of the response has
    /// reached the caller and the requests can still be repeated.
    mutating func pauseAfter(_ status: Status, _ reach: AttemptReach, throttle: RetryThrottle?, random: UInt64)
        -> Duration?
    {
        switch reach {
        case .unsent:
            transparentRetries += 1
            return .zero
        case .refused where !refusalWasRetried:
            refusalWasRetried = true
            transparentRetries += 1
            return .zero
        case .unplaced, .refused, .sent: return retryAfter(status, throttle, random)
        }
    }

    private mutating func retryAfter(_ status: Status, _ throttle: RetryThrottle?, _ random: UInt64) -> Duration? {
        let pushback = Self.pushback(status.metadata)
        if case .never = pushback {
            throttle?.recordFailure()
            return nil
        }
        guard let policy, policy.retryableCodes.contains(status.code) else { return nil }
        // Counted also when the attempts are used up.
        let mayRetry = throttle?.recordFailure() ?? true
        guard mayRetry, retries + 1 < policy.maximumAttempts else { return nil }
        let pause: Duration
        switch pushback {
        case .after(let asked):
            pause = asked
            retriesSincePushback = 0
        case .none, .never:
            retriesSincePushback += 1
            pause = policy.pause(beforeRetry: retriesSincePushback, random: random)
        }
        retries += 1
        delay += pause
        return pause
    }

    private enum Pushback {
        case none
        case after(Duration)
        case never
    }

    /// What the server wishes by `grpc-retry-pushback-ms`: a whole number of 32 bits; anything else means never.
    private static func pushback(_ metadata: Metadata) -> Pushback {
        let values = metadata.values(for: "grpc-retry-pushback-ms")
        guard let first = values.first else { return .none }
        guard values.count == 1, case .text(let text) = first, let milliseconds = Int32(text), milliseconds >= 0,
            String(milliseconds) == text
        else { return .never }
        return .after(.milliseconds(Int64(milliseconds)))
    }
}

/// The tokens that all calls of a channel share. Any thread.
final class RetryThrottle: Sendable {
    private let budget: Mutex<RetryBudget>

    init(_ throttling: RetryThrottling) {
        budget = Mutex(
            RetryBudget(capacity: throttling.maximumTokens, returnedThousandths: throttling.tokenThousandths))
    }

    func recordSuccess() { budget.withLock { $0.recordSuccess() } }

    /// Takes a token; whether there may be retries now.
    @discardableResult
    func recordFailure() -> Bool {
        budget.withLock { budget in
            budget.recordFailure()
            return budget.allowsRetry
        }
    }
}
