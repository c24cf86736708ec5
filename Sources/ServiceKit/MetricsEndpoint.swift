public import EventLoop

/// Serves `GET /metrics` over HTTP/1.1, for Prometheus: one request for each connection, nothing else.
///
/// At most 16 connections at a time; each must finish within a time limit, and a request longer than 8 KiB is refused.
public final class MetricsEndpoint: Sendable {
    private let loop: EventLoop
    private let metrics: Metrics
    private let timeout: Duration

    /// - Parameter timeout: for one connection, from its acceptance to the last byte of the answer.
    public init(loop: EventLoop, metrics: Metrics, timeout: Duration = .seconds(5)) {
        self.loop = loop
        self.metrics = metrics
        self.timeout = timeout
    }

    /// Listens until the task is cancelled. `onReady` is told where.
    public func run(at address: SocketAddress, onReady: @escaping @Sendable (SocketAddress) -> Void = { _ in })
        async throws
    {
        try await loop.run { [loop, metrics, timeout] () async throws in
            let listener = MetricsListener(
                try ListeningSocket(at: address), loop: loop, metrics: metrics, timeout: timeout)
            try listener.start()
            onReady(listener.socket.address)
            // Sleeps until the task is cancelled.
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
            listener.stop()
        }
    }
}

/// Confined to its loop.
private final class MetricsListener: ReadinessHandler {
    let socket: ListeningSocket
    let loop: EventLoop
    let metrics: Metrics
    let timeout: Duration
    private var connections: [ObjectIdentifier: MetricsConnection] = [:]
    private static let connectionLimit = 16

    init(_ socket: ListeningSocket, loop: EventLoop, metrics: Metrics, timeout: Duration) {
        self.socket = socket
        self.loop = loop
        self.metrics = metrics
        self.timeout = timeout
    }

    func start() throws(SystemError) { try loop.watch(socket.descriptor, for: .readable, handler: self) }

    func stop() {
        loop.unwatch(socket.descriptor)
        socket.close()
        for connection in connections.values { connection.close() }
    }

    func ready(_ readiness: Readiness) {
        do throws(SystemError) {
            while let (stream, _) = try socket.accept() {
                guard connections.count < Self.connectionLimit else {
                    stream.close()
                    continue
                }
                let connection = MetricsConnection(stream, listener: self)
                connections[ObjectIdentifier(connection)] = connection
                try connection.start()
            }
        } catch {
            // Out of descriptors, or the client has gone: the next pass tries again.
            return
        }
    }

    func forget(_ connection: MetricsConnection) { connections[ObjectIdentifier(connection)] = nil }
}

/// One request and its answer. Confined to its loop.
private final class MetricsConnection: ReadinessHandler {
    private let socket: StreamSocket
    private unowned let listener: MetricsListener
    private var timer: LoopTimer?
    private var request: [UInt8] = []
    private var response: [UInt8] = []
    private var sent = 0
    private var isClosed = false
    private static let requestLimit = 8192

    init(_ socket: StreamSocket, listener: MetricsListener) {
        self.socket = socket
        self.listener = listener
    }

    func start() throws(SystemError) {
        timer = listener.loop.schedule(at: .now + listener.timeout) { [weak self] in self?.close() }
        try listener.loop.watch(socket.descriptor, for: .readable, handler: self)
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        if let timer { listener.loop.cancel(timer) }
        listener.loop.unwatch(socket.descriptor)
        socket.close()
        listener.forget(self)
    }

    func ready(_ readiness: Readiness) {
        do {
            if response.isEmpty { try read() }
            if !response.isEmpty { try write() }
        } catch {
            close()
        }
    }

    private func read() throws {
        var buffer = [UInt8](repeating: 0, count: 2048)
        let outcome = try unsafe buffer.withUnsafeMutableBytes { try unsafe socket.receive(into: $0) }
        switch outcome {
        case .wouldBlock: return
        case .endOfStream: close()
        case .bytes(let count):
            request += buffer[..<count]
            if request.count > Self.requestLimit {
                answer("431 Request Header Fields Too Large", "the request is too long\n")
            } else if hasWholeHead(after: request.count - count) {
                let line = request.prefix { $0 != UInt8(ascii: "\r") }.split(separator: UInt8(ascii: " "))
                switch (
                    line.first.map { String(decoding: $0, as: UTF8.self) },
                    line.dropFirst().first.map { String(decoding: $0, as: UTF8.self) }
                )
                {
                case ("GET", "/metrics"): answer("200 OK", listener.metrics.exposition())
                case ("GET", _): answer("404 Not Found", "only /metrics is here\n")
                default: answer("405 Method Not Allowed", "only GET is served\n")
                }
            }
        }
    }

    /// Whether the empty line is there that ends a request's head. What follows it is nobody's concern.
    private func hasWholeHead(after known: Int) -> Bool {
        var start = max(0, known - 3)
        while start + 4 <= request.count {
            if request[start..<start + 4].elementsEqual("\r\n\r\n".utf8) { return true }
            start += 1
        }
        return false
    }

    private func answer(_ status: String, _ body: String) {
        let head =
            "HTTP/1.1 \(status)\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
        response = Array((head + body).utf8)
        listener.loop.rewatch(socket.descriptor, for: .writable)
    }

    private func write() throws {
        sent += try unsafe response.withUnsafeBytes { bytes in
            try unsafe socket.send(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
        }
        if sent == response.count { close() }
    }
}
