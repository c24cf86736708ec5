internal import EventLoop
internal import HTTP2
internal import Limits
internal import RPCCore
internal import TLS

/// What all loops of a client channel share; never changes.
struct ClientContents: Sendable {
    let target: Endpoint
    let configuration: ClientConfiguration
    let authority: String
    let tls: TLSContext?
}

/// The part of a client channel that lives on one loop: its connection there, and the calls that wait for one.
///
/// A lost connection is made anew by the next call, at once; after a failed attempt comes a pause, in which calls fail
/// unless they wait for readiness.
///
/// @unchecked: touched on the loop's thread only, except `loop` and `contents`, which never change.
final class Subchannel: @unchecked Sendable {
    let loop: EventLoop
    let contents: ClientContents

    private enum Phase {
        case idle
        case connecting
        case ready(ClientConnection)
        case backingOff(LoopTimer, Status)
        case closed
    }

    private struct Waiter {
        let id: UInt64
        let waitsForReady: Bool
        let continuation: CheckedContinuation<ClientConnection, any Error>
        let timer: LoopTimer?
    }

    /// What a connection attempt waits for just now. It ends before the subchannel does.
    private enum Attempt {
        case none
        case resolving
        case connecting(ConnectWait)
        case establishing(ClientConnection)
    }

    private var phase = Phase.idle
    private var attempt = Attempt.none
    private var failedAttempts = 0
    private var waiters: [Waiter] = []
    private var lastWaiter: UInt64 = 0
    /// Connections that are being left by the server, but still carry calls.
    private var leaving: [ClientConnection] = []
    private var closeWaiters: [CheckedContinuation<Void, Never>] = []

    init(_ loop: EventLoop, _ contents: ClientContents) {
        self.loop = loop
        self.contents = contents
    }

    // MARK: Calls

    /// Starts a call. A connection that turns out to take no more calls is left for another.
    func startCall(_ path: String, _ options: CallOptions, _ deadline: Deadline?) async throws -> ClientStream {
        loop.preconditionOnLoop()
        while true {
            try Self.check(deadline)
            let connection = try await place(waitsForReady: options.waitsForReady, deadline)
            let stream = ClientStream(
                connection,
                maximumMessageBytes: options.maximumResponseBytes ?? contents.configuration.maximumResponseBytes)
            stream.outboundEncoding = options.encoding
            guard connection.session.submitRequest(stream, requestHeaders(path, options, deadline)) else {
                connection.releasePlace()
                continue
            }
            if let deadline { stream.expire(at: deadline) }
            return stream
        }
    }

    /// One message there and one back. A call that no handler can have seen is made once more.
    func unary(
        _ path: String, _ request: [UInt8], _ options: CallOptions, _ deadline: Deadline?
    ) async throws -> [UInt8] {
        do {
            return try await attemptUnary(path, request, options, deadline)
        } catch let status as Status where status.certainty == .notProcessed && status.code == .unavailable {
            switch phase {
            case .ready, .connecting, .idle: break
            case .backingOff, .closed: throw status
            }
            return try await attemptUnary(path, request, options, deadline)
        }
    }

    private func attemptUnary(
        _ path: String, _ request: [UInt8], _ options: CallOptions, _ deadline: Deadline?
    ) async throws -> [UInt8] {
        let call = try await startCall(path, options, deadline)
        try call.sendNow(request)
        call.finish()
        guard let response = try await call.nextMessage() else {
            throw Status(.internal, "the response has no message", certainty: .unknown)
        }
        guard try await call.nextMessage() == nil else {
            call.cancelNow()
            throw Status(.internal, "the response has more than one message", certainty: .unknown)
        }
        return response
    }

    private func requestHeaders(_ path: String, _ options: CallOptions, _ deadline: Deadline?) -> HeaderBlock {
        var block = HeaderBlock()
        block.append(":method", "POST")
        block.append(":scheme", contents.tls == nil ? "http" : "https")
        block.append(":path", path)
        block.append(":authority", contents.authority)
        block.append("te", "trailers")
        block.append("content-type", "application/grpc")
        block.append("user-agent", "grpc-swift-meridian/1.0")
        block.append("grpc-accept-encoding", "identity,gzip")
        if options.encoding != .identity { block.append("grpc-encoding", options.encoding.rawValue) }
        if let deadline { block.append("grpc-timeout", TimeoutHeader.encode(deadline.remaining)) }
        block.append(options.metadata)
        return block
    }

    // MARK: Waiting for a connection

    /// A connection with a place reserved on it.
    private func place(waitsForReady: Bool, _ deadline: Deadline?) async throws -> ClientConnection {
        switch phase {
        case .ready(let connection) where connection.hasRoom:
            connection.reservePlace()
            return connection
        case .closed: throw Self.closedStatus
        case .backingOff(_, let status) where !waitsForReady: throw status
        case .idle: connect()
        case .ready, .connecting, .backingOff: break
        }
        guard waiters.count < contents.configuration.maximumWaitingCalls else {
            throw Status(.resourceExhausted, "too many calls wait for a connection", certainty: .notProcessed)
        }
        lastWaiter += 1
        let id = lastWaiter
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let timer = deadline.map { deadline in
                    loop.schedule(at: deadline.instant) { [weak self] in
                        self?.fail(id, Status(.deadlineExceeded, "no connection in time", certainty: .notProcessed))
                    }
                }
                waiters.append(
                    Waiter(id: id, waitsForReady: waitsForReady, continuation: continuation, timer: timer))
            }
        } onCancel: {
            loop.spawn { self.fail(id, Status(.cancelled, "the call was cancelled", certainty: .notProcessed)) }
        }
    }

    private func fail(_ id: UInt64, _ status: Status) {
        loop.preconditionOnLoop()
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return }
        fail(waiters.remove(at: index), status)
    }

    private func fail(_ waiter: Waiter, _ status: Status) {
        if let timer = waiter.timer { loop.cancel(timer) }
        waiter.continuation.resume(throwing: status)
    }

    /// Gives places to the calls that wait, in order.
    private func serveWaiters() {
        guard case .ready(let connection) = phase else { return }
        while connection.hasRoom, !waiters.isEmpty {
            let waiter = waiters.removeFirst()
            if let timer = waiter.timer { loop.cancel(timer) }
            connection.reservePlace()
            waiter.continuation.resume(returning: connection)
        }
    }

    // MARK: Connecting

    private func connect() {
        phase = .connecting
        loop.spawn { await self.connectOnce() }
    }

    private func connectOnce() async {
        loop.preconditionOnLoop()
        let instant = ContinuousClock.now + contents.configuration.connectTimeout
        defer {
            attempt = .none
            finishClosing()
        }
        do {
            let connection = try await open(by: instant)
            connection.onChange = { [weak self] in self?.changed($0) }
            guard case .connecting = phase else {
                // The channel was closed meanwhile, and waits for this connection too.
                return leaving.append(connection)
            }
            failedAttempts = 0
            phase = .ready(connection)
            changed(connection)
        } catch {
            connectingFailed(error)
        }
    }

    /// Tries the addresses one after the other.
    private func open(by instant: ContinuousClock.Instant) async throws -> ClientConnection {
        var failure: any Error = Status(.unavailable, "no address")
        attempt = .resolving
        for address in try await contents.target.addresses() {
            guard case .connecting = phase else { throw Self.closedStatus }
            do {
                let socket = try StreamSocket.connecting(to: address)
                let wait = ConnectWait(socket, loop)
                attempt = .connecting(wait)
                guard try await wait.wait(until: instant) else {
                    throw Status(.unavailable, "connecting took too long")
                }
                try socket.finishConnecting()
                let tls = try contents.tls.map { try TLSEngine($0, serverName: contents.target.host) }
                let connection = ClientConnection(
                    loop: loop, socket: socket, address: address, tls: tls, settings: contents.configuration.http2)
                attempt = .establishing(connection)
                try await connection.establish(by: instant)
                return connection
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private func connectingFailed(_ error: any Error) {
        guard case .connecting = phase else { return }
        failedAttempts += 1
        let reason = (error as? Status)?.message ?? "\(error)"
        let status = Status(
            .unavailable, "no connection to \(contents.target): \(reason)", certainty: .notProcessed)
        let configuration = contents.configuration
        let delay =
            failedAttempts == 1
            ? configuration.firstRetryDelay
            : configuration.backoff.delay(afterAttempt: failedAttempts - 1, random: .random(in: .min ... .max))
        phase = .backingOff(
            loop.schedule(at: .now + delay) { [weak self] in
                guard let self else { return }
                phase = .idle
                if !waiters.isEmpty { connect() }
            }, status)
        let failed = waiters.filter { !$0.waitsForReady }
        waiters.removeAll { !$0.waitsForReady }
        for waiter in failed { fail(waiter, status) }
    }

    /// A place is free, or the connection is ending.
    private func changed(_ connection: ClientConnection) {
        if case .ready(let current) = phase, current === connection, !connection.takesCalls {
            phase = .idle
            if !connection.isClosed { leaving.append(connection) }
            if !waiters.isEmpty { connect() }
        }
        if connection.isClosed { leaving.removeAll { $0 === connection } }
        serveWaiters()
        finishClosing()
    }

    // MARK: The end

    /// Takes no new calls, and returns when the open ones and an attempt to connect have ended; `abort` makes them.
    func close() async {
        loop.preconditionOnLoop()
        switch phase {
        case .ready(let connection): leaving.append(connection)
        case .backingOff(let timer, _): loop.cancel(timer)
        case .idle, .connecting, .closed: break
        }
        phase = .closed
        let failed = waiters
        waiters = []
        for waiter in failed { fail(waiter, Self.closedStatus) }
        finishClosing()
        guard !hasClosed else { return }
        await withCheckedContinuation { closeWaiters.append($0) }
    }

    private var hasClosed: Bool {
        guard case .closed = phase, case .none = attempt else { return false }
        return leaving.isEmpty
    }

    /// Ends the calls that are still open, and an attempt to connect (but for a name lookup, which cannot be stopped).
    func abort() {
        loop.preconditionOnLoop()
        switch attempt {
        case .none, .resolving: break
        case .connecting(let wait): wait.giveUp()
        case .establishing(let connection): connection.requestClose(Self.closedStatus)
        }
        for connection in leaving {
            connection.requestClose(Status(.cancelled, "the channel was closed", certainty: .unknown))
        }
    }

    private func finishClosing() {
        guard case .closed = phase else { return }
        for connection in leaving where connection.isIdle && !connection.isClosed {
            connection.session.submitGoAway()
            connection.requestClose(Self.closedStatus)
        }
        guard hasClosed else { return }
        for waiter in closeWaiters { waiter.resume() }
        closeWaiters = []
    }

    private static let closedStatus = Status(.unavailable, "the channel is closed", certainty: .notProcessed)

    private static func check(_ deadline: Deadline?) throws(Status) {
        if let deadline, deadline.hasPassed {
            throw Status(.deadlineExceeded, "the deadline had passed before the call", certainty: .notProcessed)
        }
        if Task.isCancelled { throw Status(.cancelled, "the call was cancelled", certainty: .notProcessed) }
    }
}
