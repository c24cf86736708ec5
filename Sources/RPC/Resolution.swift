internal import EventLoop
internal import Limits
internal import RPCCore
internal import Synchronization

/// The addresses of a channel's target, for all its loops: one look-up at a time, at most one per interval, with
/// growing pauses after failures. It looks while somebody follows it.
///
/// Any thread. Its tasks run on the shared pool and are cancelled when the last follower leaves.
final class Resolution: Sendable {
    typealias Outcome = Result<[SocketAddress], Status>

    private struct State {
        var followers: [ObjectIdentifier: AsyncStream<Outcome>.Continuation] = [:]
        var latest: [SocketAddress]?
        var isLooking = false
        var lastStart: ContinuousClock.Instant?
        var failures = 0
        var look: Task<Void, Never>?
        var watch: Task<Void, Never>?
    }

    private let resolver: any AddressResolver
    private let target: String
    private let minimumInterval: Duration
    private let backoff: Backoff
    private let state = Mutex(State())

    init(_ resolver: any AddressResolver, target: String, configuration: ClientConfiguration) {
        self.resolver = resolver
        self.target = target
        minimumInterval = configuration.minimumResolutionInterval
        backoff = configuration.backoff
    }

    /// What is found from now on, beginning with what is known. It ends by `leave`.
    func follow(_ follower: ObjectIdentifier) -> AsyncStream<Outcome> {
        let (stream, continuation) = AsyncStream<Outcome>.makeStream(bufferingPolicy: .bufferingNewest(1))
        state.withLock { state in
            state.followers[follower] = continuation
            if let latest = state.latest { continuation.yield(.success(latest)) }
            if state.watch == nil { state.watch = Task.detached { await self.watchChanges() } }
        }
        refresh()
        return stream
    }

    func leave(_ follower: ObjectIdentifier) {
        state.withLock { state in
            state.followers.removeValue(forKey: follower)?.finish()
            guard state.followers.isEmpty else { return }
            state.look?.cancel()
            state.watch?.cancel()
            state.watch = nil
        }
    }

    /// Looks again, at once or when the interval is over. Does nothing while a look-up is under way or planned.
    func refresh() {
        state.withLock { state in
            guard !state.isLooking, !state.followers.isEmpty else { return }
            let earliest = state.lastStart.map { $0 + minimumInterval } ?? .now
            start(&state, at: state.latest == nil && state.failures == 0 ? .now : earliest)
        }
    }

    /// Plans a look-up. A detached task: it belongs to the channel, not to the call that happened to need it.
    private func start(_ state: inout State, at instant: ContinuousClock.Instant) {
        state.isLooking = true
        state.look = Task.detached { await self.look(at: instant) }
    }

    private func look(at instant: ContinuousClock.Instant) async {
        let outcome: Outcome
        do {
            if instant > .now { try await Task.sleep(until: instant, clock: .continuous) }
            state.withLock { $0.lastStart = .now }
            outcome = .success(try await resolver.addresses())
        } catch {
            let reason = (error as? Status)?.message ?? "\(error)"
            outcome = .failure(
                Status(.unavailable, "no address of \(target): \(reason)", certainty: .notProcessed))
        }
        state.withLock { state in
            state.isLooking = false
            // All have left, or left and come back meanwhile: then the look-up was cancelled and starts anew.
            guard !state.followers.isEmpty else { return }
            guard !Task.isCancelled else { return start(&state, at: .now) }
            publish(outcome, &state)
            guard state.failures > 0 else { return }
            let pause = backoff.delay(afterAttempt: state.failures, random: .random(in: .min ... .max))
            start(&state, at: .now + pause)
        }
    }

    private func watchChanges() async {
        for await addresses in resolver.changes() {
            state.withLock { state in
                guard !Task.isCancelled else { return }
                publish(.success(addresses), &state)
            }
        }
    }

    /// Tells all under the lock, so that lists arrive in order: a yield only queues.
    private func publish(_ outcome: Outcome, _ state: inout State) {
        switch outcome {
        case .success(let addresses):
            state.latest = addresses
            state.failures = addresses.isEmpty ? state.failures + 1 : 0
        case .failure: state.failures += 1
        }
        for follower in state.followers.values { follower.yield(outcome) }
    }
}
