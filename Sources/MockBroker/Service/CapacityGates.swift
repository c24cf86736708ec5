internal import DequeModule
package import Domain
internal import Synchronization

/// Counts the requests that capacity rules look at, in the order in which they arrive.
///
/// Nothing waits without bound: a queue has a length, and who waits in it has a deadline.
package final class CapacityGates: Sendable {
    /// A rule as it stands: one that says something else begins anew.
    package struct Key: Hashable, Sendable {
        let space: SpaceID
        let rule: String
        let fault: CapacityFault

        package init(space: SpaceID, rule: String, fault: CapacityFault) {
            self.space = space
            self.rule = rule
            self.fault = fault
        }
    }

    /// What a request has to do before it is read.
    package enum Verdict: Hashable, Sendable {
        case pass
        /// Waits this long on the namespace's clock.
        case pause(Duration)
        case refuse(retryAfter: Duration)
    }

    private struct Gate {
        var underWay = 0
        var tokens: Double
        var filledAt: UnixTime
        var queue = Deque<(id: UInt64, continuation: CheckedContinuation<Bool, Never>)>()
    }

    private struct State {
        var gates: [Key: Gate] = [:]
        var nextID: UInt64 = 0
    }

    /// More gates are kept only while requests are under way; a bucket that is dropped is full when it comes back.
    private static let limit = 10_000
    /// When to come again after a refusal for which there is no better guess.
    private static let usualRetry = Duration.milliseconds(100)

    private let state = Mutex(State())

    package init() {}

    /// Requests in the queue of a gate.
    package func waiting(at key: Key) -> Int { state.withLock { $0.gates[key]?.queue.count ?? 0 } }

    /// Lets a request in or not. Every one that does not throw and is not refused ends with `leave`.
    ///
    /// - Parameter patience: until when it waits in a queue.
    package func enter(
        _ key: Key, at now: UnixTime, patience: ContinuousClock.Instant
    ) async throws(CancellationError) -> Verdict {
        switch key.fault {
        case .tokenBucket(let perSecond, let burst): return take(key, perSecond, burst, at: now)
        case .brownOut(let perRequest, let free):
            let extra = change(key, now) { gate in
                gate.underWay += 1
                return gate.underWay - free
            }
            return extra > 0 ? .pause(min(perRequest * extra, Behavior.longest)) : .pass
        case .concurrency(let limit, let queue):
            return try await stand(key, limit, queue, at: now, patience)
        }
    }

    /// Ends a request that was let in: the first one in the queue takes its place.
    package func leave(_ key: Key) {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard var gate = state.gates[key], gate.underWay > 0 else { return nil }
            defer { state.gates[key] = gate.underWay > 0 ? gate : nil }
            // The one that is next is under way in its place.
            if let next = gate.queue.popFirst() { return next.continuation }
            gate.underWay -= 1
            return nil
        }
        next?.resume(returning: true)
    }

    private func change<Output>(_ key: Key, _ now: UnixTime, _ body: (inout Gate) -> Output) -> Output {
        state.withLock { state in
            if state.gates.count >= Self.limit { state.gates = state.gates.filter { $0.value.underWay > 0 } }
            var gate = state.gates[key] ?? Gate(tokens: .infinity, filledAt: now)
            defer { state.gates[key] = gate }
            return body(&gate)
        }
    }

    private func take(_ key: Key, _ perSecond: Double, _ burst: Int, at now: UnixTime) -> Verdict {
        change(key, now) { gate in
            let elapsed = Double(max(0, now.nanoseconds - gate.filledAt.nanoseconds)) / 1e9
            gate.tokens = min(gate.tokens + elapsed * perSecond, Double(burst))
            gate.filledAt = max(gate.filledAt, now)
            // Sums of many small parts may miss a whole token by less than this.
            guard gate.tokens >= 1 - 1e-9 else {
                return .refuse(retryAfter: .nanoseconds(Int64(((1 - gate.tokens) / perSecond * 1e9).rounded(.up))))
            }
            gate.tokens -= 1
            return .pass
        }
    }

    private func stand(
        _ key: Key, _ limit: Int, _ length: Int, at now: UnixTime, _ patience: ContinuousClock.Instant
    ) async throws(CancellationError) -> Verdict {
        enum Place { case inside, full, queue }
        let place = change(key, now) { gate -> Place in
            if gate.underWay < limit {
                gate.underWay += 1
                return .inside
            }
            return gate.queue.count < length ? .queue : .full
        }
        switch place {
        case .inside: return .pass
        case .full: return .refuse(retryAfter: Self.usualRetry)
        case .queue: break
        }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let hasEntered = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await Task.sleep(until: patience, clock: .continuous) } catch { return }
                self.giveUp(key, id)
            }
            let hasEntered = await turn(key, id, limit, length)
            group.cancelAll()
            return hasEntered
        }
        if Task.isCancelled {
            if hasEntered { leave(key) }
            throw CancellationError()
        }
        return hasEntered ? .pass : .refuse(retryAfter: Self.usualRetry)
    }

    /// Waits for its turn; false when it gave up, or the queue has filled meanwhile.
    private func turn(_ key: Key, _ id: UInt64, _ limit: Int, _ length: Int) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> Bool? in
                    guard !Task.isCancelled, var gate = state.gates[key] ?? Gate?.none else { return false }
                    defer { state.gates[key] = gate }
                    if gate.underWay < limit {
                        gate.underWay += 1
                        return true
                    }
                    guard gate.queue.count < length else { return false }
                    gate.queue.append((id, continuation))
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            giveUp(key, id)
        }
    }

    private func giveUp(_ key: Key, _ id: UInt64) {
        let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard let index = state.gates[key]?.queue.firstIndex(where: { $0.id == id }) else { return nil }
            return state.gates[key]?.queue.remove(at: index).continuation
        }
        waiter?.resume(returning: false)
    }
}

/// The gates that one request has passed, until it leaves them.
final class Admissions: Sendable {
    private let keys = Mutex<[CapacityGates.Key]>([])

    func add(_ key: CapacityGates.Key) { keys.withLock { $0.append(key) } }

    func leaveAll(_ gates: CapacityGates) {
        let passed = keys.withLock { keys in
            defer { keys = [] }
            return keys
        }
        for key in passed { gates.leave(key) }
    }
}
