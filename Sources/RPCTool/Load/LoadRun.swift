package import EventLoop
import Limits
import Protobuf
package import RPCCore
import Synchronization

/// Calls one method again and again: at given times (open loop) or as fast as answers come (closed loop).
///
/// Each caller lives on the loop of its connection, so that nothing but the load waits for that thread.
package final class LoadRun: Sendable {
    package enum Arrivals: Sendable {
        /// Each caller begins its next call when the last has ended.
        case closed(callers: Int, duration: Duration)
        /// Calls begin when they are due. With more than `limit` under way a call is dropped, and counted as that.
        case open(RateProfile, limit: Int)
    }

    package struct Plan: Sendable {
        package var arrivals: Arrivals
        /// Calls before the measurement, at its rate or by its callers; they are not counted.
        package var warmUp: Duration = .zero
        /// Calls at most, warm-up included; nil leaves it to the time.
        package var requests: Int?
        /// Of each call.
        package var timeout: Duration = .seconds(20)
        package var encoding = MessageEncoding.identity

        package init(_ arrivals: Arrivals) { self.arrivals = arrivals }
    }

    /// A connection with the loop that it lives on.
    package struct Connection: Sendable {
        package let channel: any RPCChannel
        package let loop: EventLoop

        package init(_ channel: any RPCChannel, on loop: EventLoop) {
            self.channel = channel
            self.loop = loop
        }
    }

    private let plan: Plan
    private let method: CallableMethod
    private let payload: LoadPayload
    private let connections: [Connection]
    private let tally = Mutex(LoadTally())
    private let nextCall = Atomic(0)
    private let isStopped = Flag()
    private let failure = Mutex<ToolFailure?>(nil)

    package init(_ plan: Plan, _ method: CallableMethod, _ payload: LoadPayload, over connections: [Connection]) {
        precondition(!connections.isEmpty, "a load needs a connection")
        self.plan = plan
        self.method = method
        self.payload = payload
        self.connections = connections
    }

    /// Begins no more calls; those under way end by themselves, or by their time-out.
    package func stop() { isStopped.set() }

    /// What happened since the last look.
    package func look() -> LoadTally.Look { tally.withLock { $0.look() } }

    /// Returns when the last call has ended. Throws `ToolFailure` when a request cannot be made.
    package func run() async throws -> LoadTally {
        let start = ContinuousClock.now + plan.warmUp
        await withTaskGroup { tasks in
            switch plan.arrivals {
            case .closed(let callers, let duration):
                for caller in 0..<callers {
                    let connection = connections[caller % connections.count]
                    tasks.addTask {
                        await connection.loop.perform {
                            await self.repeatCalls(connection, caller, from: start, until: start + duration)
                        }
                    }
                }
            case .open(let profile, let limit):
                for (index, connection) in connections.enumerated() {
                    tasks.addTask {
                        await connection.loop.perform {
                            await self.offer(profile, limit, connection, index, from: start)
                        }
                    }
                }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure }
        return tally.withLock { $0 }
    }

    // MARK: Arrivals

    private func repeatCalls(
        _ connection: Connection, _ caller: Int, from start: ContinuousClock.Instant,
        until end: ContinuousClock.Instant
    ) async {
        while !isStopped.isSet {
            let now = ContinuousClock.now
            guard now < end, let number = takeNumber() else { return }
            guard tally.withLock({ $0.begin(isMeasured: now >= start, limit: .max) }) else { return }
            await call(connection, number, caller, due: now, from: start, isMeasured: now >= start)
        }
    }

    private func takeNumber() -> Int? {
        let number = nextCall.wrappingAdd(1, ordering: .relaxed).oldValue
        guard let requests = plan.requests else { return number }
        return number < requests ? number : nil
    }

    /// Begins every call of this connection's share when it is due.
    private func offer(
        _ profile: RateProfile, _ limit: Int, _ connection: Connection, _ index: Int,
        from start: ContinuousClock.Instant
    ) async {
        // The warm-up goes at the rate of the start: calls before the first measured one.
        let gap = profile.offset(of: 1)
        let warming = Int(plan.warmUp / gap)
        let last = min(profile.count, (plan.requests ?? .max) - warming)
        await withDiscardingTaskGroup { calls in
            var number = index - warming
            while number < last, !isStopped.isSet {
                let due = number >= 0 ? start + profile.offset(of: number) : start - gap * -number
                if due > .now {
                    // Ends early by cancellation only.
                    guard (try? await Task.sleep(until: due, clock: .continuous)) != nil else { return }
                }
                let isMeasured = number >= 0
                if tally.withLock({ $0.begin(isMeasured: isMeasured, limit: limit) }) {
                    let call = number + warming
                    calls.addTask {
                        await self.call(connection, call, 0, due: due, from: start, isMeasured: isMeasured)
                    }
                }
                number += connections.count
            }
        }
    }

    // MARK: One call

    private func call(
        _ connection: Connection, _ number: Int, _ caller: Int, due: ContinuousClock.Instant,
        from start: ContinuousClock.Instant, isMeasured: Bool
    ) async {
        var outcome = LoadTally.Outcome(
            latency: .zero, end: .zero, sentMessages: 0, receivedMessages: 0, isMeasured: isMeasured)
        do {
            let messages = try payload.messages(call: number, worker: caller)
            let options = CallOptions(
                timeout: plan.timeout, metadata: try payload.metadata(call: number, worker: caller),
                encoding: plan.encoding)
            outcome.sentMessages = messages.count
            outcome.receivedMessages = try await exchange(messages, options, connection.channel)
        } catch let error as ToolFailure {
            failure.withLock { $0 = $0 ?? error }
            isStopped.set()
            outcome.status = Status(.cancelled, "there was no request")
        } catch {
            outcome.status = Status(describing: error)
        }
        let now = ContinuousClock.now
        outcome.latency = due.duration(to: now)
        outcome.end = start.duration(to: now)
        tally.withLock { $0.end(outcome) }
    }

    /// Returns how many messages came.
    private func exchange(_ messages: [[UInt8]], _ options: CallOptions, _ channel: any RPCChannel) async throws -> Int
    {
        if !method.schema.clientStreams, !method.schema.serverStreams {
            _ = try await channel.unary(method.path, messages[0], options: options)
            return 1
        }
        return try await channel.withCall(method.path, options: options) { call in
            guard method.schema.clientStreams, method.schema.serverStreams else {
                try await Self.send(messages, to: call)
                return try await Self.receive(call)
            }
            // Both at once: a server that answers each message stops reading when nobody reads its answers.
            return try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await Self.send(messages, to: call) }
                return try await Self.receive(call)
            }
        }
    }

    private static func send(_ messages: [[UInt8]], to call: any ClientCall) async throws {
        do {
            for message in messages { try await call.send(message) }
            await call.finishSending()
        } catch is CallEnded {
            // The server has heard enough; what it answered follows.
        }
    }

    private static func receive(_ call: any ClientCall) async throws -> Int {
        var count = 0
        while try await call.receive() != nil { count += 1 }
        return count
    }
}
