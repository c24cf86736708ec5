internal import DequeModule
internal import EventLoop
internal import Limits

/// A connected socket: commands leave in one write per pass of the loop, answers come back in the same order.
///
/// The loop keeps it alive while it watches the socket.
///
/// @unchecked: touched on the loop's thread only, except `loop`, which never changes.
final class RedisConnection: ReadinessHandler, FlushHandler, @unchecked Sendable {
    let loop: EventLoop
    private(set) var isClosed = false
    /// Commands whose answers have not come.
    private(set) var pendingCommands = 0
    /// Called once when the connection has ended, after its exchanges have failed.
    var onClose: (RedisError) -> Void = { _ in }
    /// Called when no answer is outstanding any more.
    var onIdle: () -> Void = {}

    private let socket: StreamSocket
    private let reader: ReplyReader
    private let limits: RedisLimits
    /// Nil where an answer may take as long as its caller waits.
    private let stallTimeout: Duration?
    private var exchanges: Deque<Exchange> = []
    private var unsent: [UInt8] = []
    private var unsentOffset = 0
    private var interest: Readiness = .readable
    private var isListedForFlush = false
    private var stallTimer: LoopTimer?

    init(_ socket: StreamSocket, loop: EventLoop, limits: RedisLimits, stallTimeout: Duration?) {
        self.socket = socket
        self.loop = loop
        self.limits = limits
        self.stallTimeout = stallTimeout
        reader = ReplyReader(limitBytes: limits.replyBytes)
    }

    func start() throws(RedisError) {
        do {
            try loop.watch(socket.descriptor, for: interest, handler: self)
        } catch {
            throw RedisError(.unavailable, "\(error)")
        }
    }

    /// Bytes that wait to be sent.
    var unsentBytes: Int { unsent.count - unsentOffset }

    /// Lists encoded commands for the end of this pass.
    func submit(_ exchange: Exchange, _ encoded: [UInt8]) {
        loop.preconditionOnLoop()
        exchange.submitted()
        exchanges.append(exchange)
        pendingCommands += exchange.count
        if unsent.isEmpty {
            unsent = encoded
        } else {
            unsent.append(contentsOf: encoded)
        }
        listForFlush()
        watchForStall()
    }

    /// Ends the connection; what is unanswered fails with `error`.
    func close(_ error: RedisError) {
        loop.preconditionOnLoop()
        guard !isClosed else { return }
        isClosed = true
        if let stallTimer { loop.cancel(stallTimer) }
        stallTimer = nil
        loop.unwatch(socket.descriptor)
        socket.close()
        let failed = exchanges
        exchanges = []
        pendingCommands = 0
        for exchange in failed { exchange.fail(error.with(certainty: .unknown)) }
        onClose(error)
        onClose = { _ in }
        onIdle = {}
    }

    // MARK: The loop's events

    func ready(_ readiness: Readiness) {
        guard !isClosed else { return }
        if !readiness.isDisjoint(with: [.readable, .hangUp]) { read() }
        if readiness.contains(.writable), !isClosed { listForFlush() }
    }

    func flush() {
        isListedForFlush = false
        guard !isClosed, unsentBytes > 0 else { return }
        do {
            unsentOffset += try unsafe unsent.withUnsafeBytes { bytes throws(SystemError) in
                try unsafe socket.send(UnsafeRawBufferPointer(rebasing: bytes[unsentOffset...]))
            }
        } catch {
            return close(RedisError(.connectionLost, "\(error)"))
        }
        if unsentOffset == unsent.count {
            // A buffer that once was large is not kept.
            unsent.removeAll(keepingCapacity: unsent.capacity <= Self.keptBytes)
            unsentOffset = 0
            watch(.readable)
        } else {
            if unsentOffset > Self.keptBytes {
                unsent.removeFirst(unsentOffset)
                unsentOffset = 0
            }
            watch([.readable, .writable])
        }
    }

    private static let keptBytes = 64 << 10

    private func listForFlush() {
        guard !isListedForFlush else { return }
        isListedForFlush = true
        loop.flushAtEndOfPass(self)
    }

    private func read() {
        do throws(SystemError) {
            switch try unsafe socket.receive(into: loop.scratch.input) {
            case .wouldBlock: break
            case .endOfStream: close(RedisError(.connectionLost, "the server closed the connection"))
            case .bytes(let count): take(count)
            }
        } catch {
            close(RedisError(.connectionLost, "\(error)"))
        }
    }

    private func take(_ count: Int) {
        do throws(RedisError) {
            try unsafe reader.feed(UnsafeRawBufferPointer(rebasing: loop.scratch.input[..<count]))
            while let reply = try reader.next() {
                guard let exchange = exchanges.first else {
                    throw RedisError(.protocolViolation, "an answer came that nobody asked for")
                }
                pendingCommands -= 1
                if exchange.receive(reply) { exchanges.removeFirst() }
            }
        } catch {
            return close(error)
        }
        if exchanges.isEmpty { onIdle() }
    }

    private func watch(_ wanted: Readiness) {
        guard wanted != interest else { return }
        interest = wanted
        loop.rewatch(socket.descriptor, for: wanted)
    }

    /// A server that has stopped answering looks like a slow one; after a while it is given up.
    private func watchForStall() {
        guard let stallTimeout, stallTimer == nil, let oldest = exchanges.first else { return }
        stallTimer = loop.schedule(at: oldest.submittedAt + stallTimeout) { [unowned self] in
            stallTimer = nil
            guard let oldest = exchanges.first else { return }
            if oldest.submittedAt + stallTimeout <= .now {
                close(RedisError(.connectionLost, "no answer within \(stallTimeout)"))
            } else {
                watchForStall()
            }
        }
    }
}
