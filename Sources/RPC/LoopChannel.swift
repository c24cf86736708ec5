internal import EventLoop
internal import HTTP2
internal import Limits
internal import RPCCore
internal import Synchronization

/// The part of a client channel that lives on one loop: its connections there, and the calls that wait for one.
///
/// @unchecked: touched on the loop's thread only, except `loop`, `contents` and the atomic `bufferedBytes`.
final class LoopChannel: @unchecked Sendable {
    private enum Phase {
        case idle
        case active
        case closed
    }

    let loop: EventLoop
    let contents: ClientContents
    /// Bytes of request messages that calls keep to send them again.
    let bufferedBytes = Atomic(0)
    let connectionMeter: (any ConnectionMeter)?
    private let index: Int
    private let waiting: WaitingCalls
    private var methods: ClientMethods?
    private var phase = Phase.idle
    private var state = ConnectivityState.idle
    private var subchannels: [Subchannel] = []
    /// Connections that calls may use, in the order of the subchannels.
    private var usable: [ClientConnection] = []
    private var turn = 0
    /// Why there are no addresses.
    private var resolutionFailure: Status?
    /// Connections that take no new calls, but are not closed yet.
    private var leaving: [ClientConnection] = []
    private var tasks: [UInt64: Task<Void, Never>] = [:]
    private var lastTask: UInt64 = 0
    private var closeWaiters: [CheckedContinuation<Void, Never>] = []
    private var keepaliveFactor = 1
    private var idleTimer: LoopTimer?
    private var hasBeenCalled = false
    private var quietTicks = 0

    private static let ticksPerIdleTimeout = 4

    init(_ loop: EventLoop, _ contents: ClientContents, index: Int) {
        self.loop = loop
        self.contents = contents
        self.index = index
        methods = ClientMethods(contents)
        connectionMeter = contents.configuration.meter?.connections(target: contents.target.description)
        waiting = WaitingCalls(
            loop, capacity: contents.configuration.maximumWaitingCalls, target: contents.target.description)
    }

    // MARK: Calls

    func startCall(_ path: String, _ options: CallOptions, _ deadline: Deadline?) async throws -> any ClientCall {
        loop.preconditionOnLoop()
        let call = ReplayableCall(self, plan(path, options, deadline))
        try await call.start()
        return call
    }

    /// One message there and one back.
    func unary(
        _ path: String, _ request: [UInt8], _ options: CallOptions, _ deadline: Deadline?
    ) async throws -> [UInt8] {
        loop.preconditionOnLoop()
        // The direct way: nothing is looked up, counted or kept.
        guard methods == nil, contents.throttle == nil, let connection = try readyConnection(deadline),
            let stream = submit(on: connection, path, options, deadline)
        else { return try await plannedUnary(plan(path, options, deadline), request) }
        do {
            return try await stream.exchange(request)
        } catch {
            // Made again, if at all, in a way of its own, so that the direct one stays light.
            return try await plannedUnary(plan(path, options, deadline), request, after: (error, stream))
        }
    }

    /// - Parameter first: an attempt that has failed already.
    private func plannedUnary(
        _ plan: CallPlan, _ request: [UInt8], after first: (error: any Error, stream: ClientStream)? = nil
    ) async throws -> [UInt8] {
        guard plan.retryPolicy == nil else {
            let call = ReplayableCall(self, plan)
            defer { call.cancel() }
            try await call.start()
            try await sendSingle(request, on: call)
            return try await singleResponse(call)
        }
        // Without a policy this has only to see to calls that no handler has seen, and the request is at hand.
        let measurement = CallMeasurement(plan)
        var ledger = RetryLedger(policy: nil)
        var failed = first
        while true {
            if let (error, stream) = failed {
                let status = Status(describing: error)
                let pause = ledger.pauseAfter(status, stream.reach(status), throttle: contents.throttle, random: 0)
                if pause == nil {
                    measurement?.end(status.code, ledger)
                    throw status
                }
            }
            let stream: ClientStream
            do {
                stream = try await openStream(plan, previousAttempts: 0)
            } catch {
                measurement?.end(Status(describing: error).code, ledger)
                throw error
            }
            do {
                let response = try await stream.exchange(request)
                measurement?.end(.ok, ledger)
                contents.throttle?.recordSuccess()
                return response
            } catch {
                failed = (error, stream)
            }
        }
    }

    private func plan(_ path: String, _ options: CallOptions, _ deadline: Deadline?) -> CallPlan {
        CallPlan(path, options, deadline, methods?.method(at: path))
    }

    /// A stream for one attempt, with its headers submitted. A connection that turns out to take no more calls is left
    /// for another.
    func openStream(_ plan: CallPlan, previousAttempts: Int) async throws -> ClientStream {
        let measurement = AttemptMeasurement(plan)
        do {
            while true {
                let connection =
                    if let ready = try readyConnection(plan.deadline) { ready } else { try await place(plan) }
                let stream = submit(
                    on: connection, plan.path, plan.options, plan.deadline, previousAttempts: previousAttempts)
                guard let stream else { continue }
                stream.measurement = measurement
                return stream
            }
        } catch {
            measurement?.end(Status(describing: error).code)
            throw error
        }
    }

    /// Starts an attempt on a connection with a reserved place; nil, and the place is free, when it takes no more.
    private func submit(
        on connection: ClientConnection, _ path: String, _ options: CallOptions, _ deadline: Deadline?,
        previousAttempts: Int = 0
    ) -> ClientStream? {
        let stream = ClientStream(
            connection, maximumRequestBytes: options.maximumRequestBytes ?? .max,
            maximumResponseBytes: options.maximumResponseBytes ?? contents.configuration.maximumResponseBytes)
        stream.outboundEncoding = options.encoding
        let headers = contents.requestHeaders(path, options, deadline, previousAttempts)
        guard connection.session.submitRequest(stream, headers) else {
            connection.releasePlace()
            return nil
        }
        if let deadline { stream.expire(at: deadline) }
        return stream
    }

    /// The next usable connection, with a place reserved, when no call has to wait. Throws when none may be made.
    private func readyConnection(_ deadline: Deadline?) throws(Status) -> ClientConnection? {
        try check(deadline)
        guard waiting.isEmpty, let connection = pick() else { return nil }
        connection.reservePlace()
        return connection
    }

    /// A connection with a place reserved on it.
    private func place(_ plan: CallPlan) async throws -> ClientConnection {
        if case .closed = phase { throw closedStatus }
        hasBeenCalled = true
        wake()
        if !plan.waitsForReady, case .transientFailure = state { throw failureStatus }
        return try await waiting.wait(plan.waitsForReady, plan.deadline)
    }

    /// The next usable connection in turn that has room.
    private func pick() -> ClientConnection? {
        hasBeenCalled = true
        if usable.count == 1 { return usable[0].hasRoom ? usable[0] : nil }
        for _ in usable {
            turn = turn + 1 < usable.count ? turn + 1 : 0
            if usable[turn].hasRoom { return usable[turn] }
        }
        return nil
    }

    private func check(_ deadline: Deadline?) throws(Status) {
        if let deadline, deadline.hasPassed {
            throw Status(
                .deadlineExceeded, "\(contents.target): the deadline had passed before the call",
                certainty: .notProcessed)
        }
        if Task.isCancelled {
            throw Status(.cancelled, "\(contents.target): the call was cancelled", certainty: .notProcessed)
        }
    }

    // MARK: Connections

    /// Leaves idleness, and connects what is idle.
    func wake() {
        switch phase {
        case .closed: return
        case .active: break
        case .idle:
            phase = .active
            startIdleTimer()
            switch contents.target.source {
            case .fixed(let addresses): use(addresses)
            case .resolved: follow()
            }
        }
        for subchannel in subchannels { subchannel.connect() }
        update()
    }

    /// Whether a lost connection is made anew at once.
    var wantsConnections: Bool {
        guard case .active = phase else { return false }
        return contents.configuration.serviceConfig.loadBalancing == .roundRobin || !waiting.isEmpty
    }

    private func follow() {
        guard let resolution = contents.resolution else { return }
        let outcomes = resolution.follow(ObjectIdentifier(self))
        _ = start {
            for await outcome in outcomes {
                self.loop.preconditionOnLoop()
                self.resolved(outcome)
            }
        }
    }

    private func resolved(_ outcome: Resolution.Outcome) {
        guard case .active = phase else { return }
        let isFirst = subchannels.isEmpty
        switch outcome {
        case .success(let addresses): use(addresses)
        case .failure(let status) where subchannels.isEmpty: resolutionFailure = status
        case .failure: break  // What was known before goes on.
        }
        if isFirst || wantsConnections { for subchannel in subchannels { subchannel.connect() } }
        update()
    }

    private func use(_ addresses: [SocketAddress]) {
        resolutionFailure =
            addresses.isEmpty
            ? Status(.unavailable, "\(contents.target) has no addresses", certainty: .notProcessed) : nil
        switch contents.configuration.serviceConfig.loadBalancing {
        case .pickFirst:
            if let subchannel = subchannels.first, !addresses.isEmpty {
                subchannel.replaceAddresses(addresses)
            } else {
                replaceSubchannels(addresses.isEmpty ? [] : [addresses])
            }
        case .roundRobin:
            var unique: [SocketAddress] = []
            for address in addresses where !unique.contains(address) { unique.append(address) }
            replaceSubchannels(unique.map { [$0] })
        }
    }

    private func replaceSubchannels(_ lists: [[SocketAddress]]) {
        let old = subchannels
        subchannels = lists.map { list in old.first { $0.addresses == list } ?? Subchannel(self, list) }
        for subchannel in old where !subchannels.contains(where: { $0 === subchannel }) { subchannel.close() }
    }

    /// A connection is ready for calls.
    func began(_ connection: ClientConnection) {
        connectionMeter?.opened()
        connection.wasOpened = true
        connection.onPlaceFreed = { [weak self] in self?.serveWaiting() }
        guard let keepalive = contents.configuration.keepalive else { return }
        connection.startKeepalive(
            ClientKeepalive(
                exactly: keepalive.interval * keepaliveFactor, timeout: keepalive.timeout,
                permitsWithoutCalls: keepalive.permitsWithoutCalls))
    }

    /// Lets the calls of a connection end, and then closes it.
    func leave(_ connection: ClientConnection) {
        if connection.wasPingedTooOften { keepaliveFactor = min(keepaliveFactor * 2, 1 << 16) }
        connection.watch?.cancel()
        connection.onChange = { [weak self] connection in
            guard let self, connection.isClosed else { return }
            left(connection)
        }
        if connection.isClosed { return left(connection) }
        leaving.append(connection)
        connection.retire()
    }

    private func left(_ connection: ClientConnection) {
        connection.onChange = { _ in }
        if connection.wasOpened { connectionMeter?.closed() }
        leaving.removeAll { $0 === connection }
        finishClosing()
    }

    /// Something about the subchannels has changed.
    func update() {
        usable = subchannels.compactMap(\.usableConnection)
        let new = currentState
        if new != state {
            state = new
            contents.states.set(new, forLoop: index)
        }
        if case .transientFailure = new { waiting.fail(failureStatus, all: false) }
        serveWaiting()
    }

    private func serveWaiting() {
        guard !waiting.isEmpty else { return }
        waiting.serve(pick)
    }

    private var currentState: ConnectivityState {
        switch phase {
        case .idle: return .idle
        case .closed: return .shutdown
        case .active: break
        }
        if !usable.isEmpty { return .ready }
        guard !subchannels.isEmpty else { return resolutionFailure == nil ? .connecting : .transientFailure }
        let states = subchannels.map(\.state)
        if states.contains(.connecting) { return .connecting }
        return states.contains(.idle) ? .idle : .transientFailure
    }

    private var failureStatus: Status {
        resolutionFailure ?? subchannels.lazy.compactMap(\.failureStatus).first
            ?? Status(.unavailable, "\(contents.target): no connection", certainty: .notProcessed)
    }

    // MARK: Idleness

    private func startIdleTimer() {
        guard let timeout = contents.configuration.idleTimeout else { return }
        quietTicks = 0
        idleTimer = loop.schedule(at: .now + timeout / Self.ticksPerIdleTimeout) { [weak self] in self?.tick() }
    }

    private func tick() {
        guard case .active = phase, let timeout = contents.configuration.idleTimeout else { return }
        let isQuiet = !hasBeenCalled && waiting.isEmpty && usable.allSatisfy(\.isIdle) && leaving.isEmpty
        hasBeenCalled = false
        quietTicks = isQuiet ? quietTicks + 1 : 0
        guard quietTicks < Self.ticksPerIdleTimeout else { return becomeIdle() }
        idleTimer = loop.schedule(at: .now + timeout / Self.ticksPerIdleTimeout) { [weak self] in self?.tick() }
    }

    private func becomeIdle() {
        phase = .idle
        retireAll()
        update()
    }

    private func retireAll() {
        contents.resolution?.leave(ObjectIdentifier(self))
        let old = subchannels
        subchannels = []
        resolutionFailure = nil
        for subchannel in old { subchannel.close() }
    }

    // MARK: Tasks

    /// Runs `body` on the loop, as a part of the channel: its end cancels the task and waits for it.
    func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        loop.preconditionOnLoop()
        lastTask += 1
        let id = lastTask
        let task = loop.spawn {
            await body()
            self.tasks[id] = nil
            self.finishClosing()
        }
        tasks[id] = task
        return task
    }

    // MARK: The end

    /// Takes no new calls, and returns when the open ones have ended; `abort` makes them.
    func close() async {
        loop.preconditionOnLoop()
        phase = .closed
        if let idleTimer { loop.cancel(idleTimer) }
        idleTimer = nil
        waiting.fail(closedStatus, all: true)
        retireAll()
        for task in tasks.values { task.cancel() }
        update()
        guard !hasClosed else { return }
        await withCheckedContinuation { closeWaiters.append($0) }
    }

    /// Ends the calls that are still open.
    func abort() {
        loop.preconditionOnLoop()
        for connection in leaving {
            connection.requestClose(
                Status(.cancelled, "the channel to \(contents.target) was closed", certainty: .unknown))
        }
    }

    var isOpen: Bool {
        if case .closed = phase { false } else { true }
    }

    private var hasClosed: Bool {
        if case .closed = phase { leaving.isEmpty && tasks.isEmpty } else { false }
    }

    private func finishClosing() {
        guard hasClosed else { return }
        for waiter in closeWaiters { waiter.resume() }
        closeWaiters = []
    }

    private var closedStatus: Status {
        Status(.unavailable, "the channel to \(contents.target) is closed", certainty: .notProcessed)
    }
}
