internal import Limits

/// Brings events to one consumer's handler, by the rules of a policy: the part that all buses have in common.
package struct EventDelivery: Sendable {
    /// How a delivery ended.
    package struct Outcome: Sendable, Hashable {
        /// Calls of the handler.
        package var attempts: Int
        package var isDeadLetter: Bool
    }

    private let group: String
    private let consumer: String
    private let policy: DeliveryPolicy
    private let deadLetter: DeadLetterSink
    private let observer: BusObserver
    private let handler: @Sendable (EventEnvelope) async throws -> Void

    package init(
        group: String, consumer: String, policy: DeliveryPolicy, deadLetter: @escaping DeadLetterSink,
        observer: @escaping BusObserver, handler: @escaping @Sendable (EventEnvelope) async throws -> Void
    ) {
        self.group = group
        self.consumer = consumer
        self.policy = policy
        self.deadLetter = deadLetter
        self.observer = observer
        self.handler = handler
    }

    /// Returns when the event has been handled or is a dead letter; then it counts as consumed.
    ///
    /// - Parameters:
    ///   - isAllowed: asked before each attempt; false ends the delivery with a `CancellationError`.
    package func deliver(
        _ event: EventEnvelope, origin: String, while isAllowed: () -> Bool = { true }
    ) async throws(CancellationError) -> Outcome {
        var attempts = 0
        var suspicions = 0
        while true {
            guard isAllowed(), !Task.isCancelled else { throw CancellationError() }
            attempts += 1
            do {
                try await handler(event)
                return Outcome(attempts: attempts, isDeadLetter: false)
            } catch {
                // An error of a handler that is being stopped says nothing about the event.
                guard !Task.isCancelled else { throw CancellationError() }
                let reason = "\(error)"
                observer(.handlerFailed(event, group: group, attempt: attempts, reason: reason))
                let verdict = policy.verdict(error)
                if verdict == .suspect { suspicions += 1 }
                if verdict == .permanent || suspicions >= policy.attempts {
                    try await setAside(event, origin: origin, attempts: attempts, reason: reason)
                    return Outcome(attempts: attempts, isDeadLetter: true)
                }
                try await pause(attempts)
            }
        }
    }

    /// Makes a dead letter of an event, trying until that has succeeded.
    package func setAside(
        _ event: EventEnvelope, origin: String, attempts: Int, reason: String
    ) async throws(CancellationError) {
        let letter = DeadLetter(
            event: event, group: group, consumer: consumer, origin: origin, attempts: attempts, reason: reason)
        var failures = 0
        while !Task.isCancelled {
            do {
                try await deadLetter(letter)
                observer(.deadLetter(letter))
                return
            } catch {
                guard !Task.isCancelled else { break }
                failures += 1
                observer(.deadLetterNotStored(letter, reason: "\(error)"))
                try await pause(failures)
            }
        }
        throw CancellationError()
    }

    private func pause(_ attempt: Int) async throws(CancellationError) {
        let delay = policy.backoff.delay(afterAttempt: attempt, random: .random(in: .min ... .max))
        do {
            try await Task.sleep(for: delay)
        } catch {
            throw CancellationError()
        }
    }
}
