internal import CNGHTTP2

public enum HTTP2Role: Sendable { case client, server }

/// Who drives a session and hears of what concerns the whole connection. Called like the methods of `HTTP2Stream`.
public protocol HTTP2SessionDelegate: AnyObject {
    /// The peer has opened a stream (server only).
    func makeStream() -> HTTP2Stream
    /// There is something to `produce`.
    func sessionHasOutput()
    /// The peer's SETTINGS came.
    func receivedSettings()
    /// The peer sent a PING, which the session has answered.
    func receivedPing()
    /// The peer acknowledged our PING.
    func receivedPingAcknowledgement()
    /// The peer will open or accept no new streams; those above `lastStreamID` were not processed.
    func receivedGoAway(_ code: HTTP2ErrorCode, lastStreamID: Int32)
}

/// One HTTP/2 connection without a socket: bytes in by `receive`, bytes out by `produce`.
///
/// Owns the library's session and frees it in `close`, never inside a callback. Confine it to one thread.
/// Source: nghttp2 documentation, "Programmers' Guide"; RFC 9113.
@safe public final class HTTP2Session {
    public let role: HTTP2Role
    public let settings: HTTP2Settings
    /// Streams that exist; the session keeps them alive.
    public var openStreams: [HTTP2Stream] { unsafe streams }

    /// Unchecked: no access of it calls out.
    @exclusivity(unchecked) private var streams: [HTTP2Stream] = []

    /// The debug data of the peer's last GOAWAY, at most 64 bytes of it.
    public internal(set) var goAwayReason: [UInt8] = []

    unowned let delegate: any HTTP2SessionDelegate
    /// Nanoseconds of a monotonic clock, for the budgets of frames; whoever drives the session keeps it fresh.
    public final var nowNanoseconds: Int64 = 0
    /// Bytes of all streams that are written and not yet taken by the peer's windows.
    public final var outboundBytes: Int { queuedBytes }
    final var queuedBytes = 0
    /// Bytes of all streams that the peer's windows have taken, ever.
    public final var drainedBytes: Int { takenBytes }
    final var takenBytes = 0
    /// HEADERS and DATA frames that have gone out.
    public final var callFramesSent: Int { sentFrames }
    final var sentFrames = 0
    /// A header block has begun and not ended: the peer owes CONTINUATION.
    public final var headerBlockIsOpen: Bool { openHeaderBlock }
    final var openHeaderBlock = false
    /// Whether the peer's PINGs are answered; false only to test the peer.
    public final var answersPings = true
    private var resets: FrameBudget
    private var idleFrames: FrameBudget
    /// Why the peer is not listened to any more: its own errors, and what `refuse` was told.
    public private(set) var refusal: HTTP2Error?
    /// Something has gone out.
    private var hasSpoken = false
    /// The last frame, when the library has failed and sends no more.
    private var farewell: [UInt8] = []
    /// Bytes of DATA in what is being received, given back to the connection's window at the end.
    final var receivedDataBytes = 0
    /// The stream that was asked for last: most callbacks concern the same one again. In the list, or nil.
    private var recent: (id: Int32, stream: Unmanaged<HTTP2Stream>)?
    private(set) final var handle: OpaquePointer?
    /// Outlives `handle`.
    private let blocks: BlockPool
    private var pendingFrame = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    private var isInsideCallback = false

    /// - Parameter blocks: the library's memory, for other sessions of this thread too.
    public init(
        _ role: HTTP2Role, settings: HTTP2Settings, blocks: BlockPool = BlockPool(), delegate: any HTTP2SessionDelegate
    ) {
        self.role = role
        self.settings = settings
        self.blocks = blocks
        self.delegate = delegate
        resets = FrameBudget(burst: settings.resetBurst, perSecond: settings.resetsPerSecond)
        idleFrames = FrameBudget(burst: settings.idleFrameBurst, perSecond: settings.idleFramesPerSecond)
        unsafe handle = SessionCallbacks.makeSession(role, settings, blocks, owner: self)
        submitSettings()
    }

    deinit {
        unsafe precondition(streams.isEmpty, "a session is closed before it is dropped")
        unsafe nghttp2_session_del(handle)
    }

    /// Nothing can come or go any more: close the connection.
    public var isFinished: Bool {
        guard let handle = unsafe handle else { return true }
        guard refusal == nil else { return unsafe pendingFrame.isEmpty && farewell.isEmpty }
        return unsafe nghttp2_session_want_read(handle) == 0 && nghttp2_session_want_write(handle) == 0
    }

    public var wantsOutput: Bool {
        guard let handle = unsafe handle else { return false }
        if refusal != nil { return unsafe !pendingFrame.isEmpty || !farewell.isEmpty }
        return unsafe !pendingFrame.isEmpty || nghttp2_session_want_write(handle) != 0
    }

    /// How many streams the peer lets us have open.
    public var peerMaximumConcurrentStreams: Int {
        guard let handle = unsafe handle else { return 0 }
        return unsafe Int(nghttp2_session_get_remote_settings(handle, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
    }

    // MARK: Bytes

    /// Takes bytes from the peer, in any pieces. Throws when the connection cannot go on; output may still be there
    /// to tell the peer why.
    public func receive(_ bytes: Span<UInt8>) throws(HTTP2Error) {
        precondition(!isInsideCallback, "called from a callback")
        guard let handle = unsafe handle, refusal == nil else { return }
        isInsideCallback = true
        let result = unsafe bytes.withUnsafeBufferPointer {
            unsafe nghttp2_session_mem_recv(handle, $0.baseAddress, $0.count)
        }
        isInsideCallback = false
        if let refusal { throw refusal }
        guard result >= 0 else { throw refuse(HTTP2Error(libraryCode: result)) }
        if receivedDataBytes > 0 {
            // The streams' windows hold a peer back; the connection's is only as wide as what is under way.
            check(unsafe nghttp2_session_consume_connection(handle, receivedDataBytes))
            receivedDataBytes = 0
        }
    }

    /// Fills `buffer` with bytes for the peer and returns how many; fewer than it holds only when there are no more.
    public func produce(into buffer: UnsafeMutableRawBufferPointer) throws(HTTP2Error) -> Int {
        precondition(!isInsideCallback, "called from a callback")
        guard let handle = unsafe handle else { return 0 }
        isInsideCallback = true
        defer { isInsideCallback = false }
        var filled = 0
        if refusal != nil, unsafe pendingFrame.isEmpty {
            filled = min(farewell.count, buffer.count)
            unsafe buffer.copyBytes(from: farewell[..<filled])
            farewell.removeFirst(filled)
            return filled
        }
        while filled < buffer.count {
            if unsafe pendingFrame.isEmpty {
                var frame: UnsafePointer<UInt8>?
                let count = unsafe nghttp2_session_mem_send(handle, &frame)
                guard count >= 0 else { throw refuse(HTTP2Error(libraryCode: count)) }
                guard count > 0, refusal == nil else { break }
                unsafe pendingFrame = UnsafeRawBufferPointer(start: frame, count: count)
            }
            let count = unsafe min(pendingFrame.count, buffer.count - filled)
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            unsafe target.copyMemory(from: .init(rebasing: pendingFrame[..<count]))
            unsafe pendingFrame = UnsafeRawBufferPointer(rebasing: pendingFrame[count...])
            filled += count
        }
        if filled > 0 { hasSpoken = true }
        return filled
    }

    /// All bytes for the peer.
    public func produce() throws(HTTP2Error) -> [UInt8] {
        var output: [UInt8] = []
        var error: HTTP2Error?
        unsafe withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) { buffer in
            do throws(HTTP2Error) {
                while true {
                    let count = try unsafe produce(into: buffer)
                    unsafe output.append(contentsOf: buffer[..<count])
                    if count < buffer.count { return }
                }
            } catch let failure {
                error = failure
            }
        }
        if let error { throw error }
        return output
    }

    /// Closes every open stream with `code` and frees the library's session. Does nothing the second time.
    public func close(_ code: HTTP2ErrorCode) {
        precondition(!isInsideCallback, "called from a callback")
        guard let closing = unsafe handle else { return }
        unsafe handle = nil
        unsafe pendingFrame = UnsafeRawBufferPointer(start: nil, count: 0)
        while let stream = unsafe streams.last {
            remove(stream)
            stream.closed(code)
        }
        unsafe nghttp2_session_del(closing)
    }

    // MARK: Misbehaviour

    /// A frame that carries nothing came.
    func receivedIdleFrame() {
        guard !idleFrames.charge(at: nowNanoseconds) else { return }
        refuse(HTTP2Error(.enhanceYourCalm, "too many frames that carry nothing"))
    }

    /// A header block unpacks to far more than was announced; returns what stops the library from unpacking the rest.
    func refuseHeaderBlock() -> Int32 {
        refuse(HTTP2Error(.enhanceYourCalm, "a header list far over the limit"))
        return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
    }

    /// Answers the peer's PING, with its own eight bytes.
    func answerPing(_ ping: nghttp2_ping) {
        guard answersPings, let handle = unsafe handle else { return }
        let result = unsafe withUnsafeBytes(of: ping.opaque_data) { data in
            unsafe nghttp2_submit_ping(handle, UInt8(NGHTTP2_FLAG_ACK.rawValue), data.baseAddress)
        }
        guard result != NGHTTP2_ERR_FLOODED.rawValue else {
            refuse(HTTP2Error(libraryCode: Int(result)))
            return
        }
        check(result)
        delegate.sessionHasOutput()
    }

    /// A stream was reset by the peer, or by us because of the peer's error.
    func countReset() {
        guard !resets.charge(at: nowNanoseconds) else { return }
        refuse(HTTP2Error(.enhanceYourCalm, "too many resets"))
    }

    /// Takes nothing more from the peer, and tells it why in the last frame of this session: GOAWAY, written here since
    /// after a failure the library sends nothing (RFC 9113 section 6.8).
    @discardableResult
    public func refuse(_ error: HTTP2Error) -> HTTP2Error {
        guard refusal == nil, let handle = unsafe handle else { return error }
        refusal = error
        let reason = Array(error.description.utf8.prefix(128))
        let last = unsafe UInt32(nghttp2_session_get_last_proc_stream_id(handle))
        // The first frame is SETTINGS in any case (RFC 9113 section 3.4).
        if !hasSpoken { farewell = [0, 0, 0, UInt8(NGHTTP2_SETTINGS.rawValue), 0, 0, 0, 0, 0] }
        farewell += [0, 0, UInt8(8 + reason.count), UInt8(NGHTTP2_GOAWAY.rawValue), 0, 0, 0, 0, 0]
        for word in [last, error.code.rawValue] {
            for shift in [24, 16, 8, 0] { farewell.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
        }
        farewell += reason
        delegate.sessionHasOutput()
        return error
    }

    // MARK: Connection

    public func submitPing() {
        guard let handle = unsafe handle else { return }
        check(unsafe nghttp2_submit_ping(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil))
        delegate.sessionHasOutput()
    }

    /// First step of a graceful end: no new streams please, without saying which is the last (RFC 9113 section 6.8).
    public func submitShutdownNotice() {
        guard let handle = unsafe handle else { return }
        check(unsafe nghttp2_submit_shutdown_notice(handle))
        delegate.sessionHasOutput()
    }

    /// Last step: streams after the last one seen are refused; the connection ends with the open ones.
    public func submitGoAway(_ code: HTTP2ErrorCode = .noError) {
        guard let handle = unsafe handle else { return }
        let last = unsafe nghttp2_session_get_last_proc_stream_id(handle)
        check(unsafe nghttp2_submit_goaway(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code.rawValue, nil, 0))
        delegate.sessionHasOutput()
    }

    /// Opens a stream with the request's fields; data follows by `stream.write`. False when the connection takes no
    /// new streams any more.
    public func submitRequest(_ stream: HTTP2Stream, _ headers: HeaderBlock) -> Bool {
        precondition(role == .client && stream.listIndex < 0, "a client submits a stream once")
        guard let handle = unsafe handle, unsafe nghttp2_session_check_request_allowed(handle) != 0 else {
            return false
        }
        let pointer = unsafe Unmanaged.passUnretained(stream).toOpaque()
        var provider = unsafe SessionCallbacks.dataProvider(stream)
        let id = unsafe headers.withFields { unsafe nghttp2_submit_request(handle, nil, $0, $1, &provider, pointer) }
        guard id > 0 else { return false }
        stream.number = id
        insert(stream)
        delegate.sessionHasOutput()
        return true
    }

    // MARK: For streams and callbacks

    func submitResponse(_ stream: HTTP2Stream, _ headers: HeaderBlock, endsStream: Bool) {
        guard let handle = unsafe handle else { return }
        if endsStream {
            check(unsafe headers.withFields { unsafe nghttp2_submit_response(handle, stream.number, $0, $1, nil) })
        } else {
            var provider = unsafe SessionCallbacks.dataProvider(stream)
            check(
                unsafe headers.withFields { unsafe nghttp2_submit_response(handle, stream.number, $0, $1, &provider) })
        }
        delegate.sessionHasOutput()
    }

    func submitReset(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
        guard let handle = unsafe handle else { return }
        check(unsafe nghttp2_submit_rst_stream(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.number, code.rawValue))
        delegate.sessionHasOutput()
    }

    func resumeData(_ stream: HTTP2Stream) {
        guard let handle = unsafe handle else { return }
        check(unsafe nghttp2_session_resume_data(handle, stream.number))
        delegate.sessionHasOutput()
    }

    func receiveWindowBytes(of stream: HTTP2Stream) -> Int {
        guard let handle = unsafe handle else { return 0 }
        return unsafe Int(max(0, nghttp2_session_get_stream_local_window_size(handle, stream.number)))
    }

    func consume(_ stream: HTTP2Stream, _ bytes: Int) {
        guard let handle = unsafe handle else { return }
        check(unsafe nghttp2_session_consume_stream(handle, stream.number, bytes))
        delegate.sessionHasOutput()
    }

    /// Calls `body` with stream `id` if it is open, without counting references.
    @inline(__always)
    func withStream(_ id: Int32, _ body: (HTTP2Stream) -> Void) {
        if let recent = unsafe recent, unsafe recent.id == id {
            return unsafe recent.stream._withUnsafeGuaranteedRef(body)
        }
        guard let pointer = unsafe nghttp2_session_get_stream_user_data(handle, id) else { return }
        let stream = unsafe Unmanaged<HTTP2Stream>.fromOpaque(pointer)
        unsafe recent = (id, stream)
        unsafe stream._withUnsafeGuaranteedRef(body)
    }

    /// HEADERS or DATA of stream `id` have gone out.
    func sentCallFrame(_ id: Int32, ends: Bool) {
        sentFrames &+= 1
        switch role {
        case .client: withStream(id) { $0.sentHeaders = true }
        case .server:
            // A server that has answered before the request ended tells the client to stop (RFC 9113 section 8.1).
            guard ends else { return }
            withStream(id) { stream in
                if !stream.remoteHasEnded { submitReset(stream, .noError) }
            }
        }
    }

    /// The library has closed stream `id`.
    func closed(_ id: Int32, _ code: HTTP2ErrorCode) {
        guard let pointer = unsafe nghttp2_session_get_stream_user_data(handle, id) else { return }
        let stream = unsafe Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
        remove(stream)
        stream.closed(code)
    }

    /// The peer opened stream `id`.
    func opened(_ id: Int32) -> HTTP2Stream {
        let stream = delegate.makeStream()
        stream.number = id
        insert(stream)
        unsafe recent = (id, Unmanaged.passUnretained(stream))
        return stream
    }

    func remove(_ stream: HTTP2Stream) {
        guard stream.listIndex >= 0 else { return }
        if unsafe recent?.id == stream.number { unsafe recent = nil }
        let last = unsafe streams.removeLast()
        if last !== stream {
            unsafe streams[stream.listIndex] = last
            last.listIndex = stream.listIndex
        }
        stream.listIndex = -1
        stream.isListed = false
        stream.session = nil
        queuedBytes -= unsafe stream.queue.byteCount
        unsafe stream.queue.removeAll()
    }

    private func insert(_ stream: HTTP2Stream) {
        stream.session = self
        stream.isListed = true
        stream.headerListLimit = settings.headerListBytes
        stream.listIndex = unsafe streams.count
        unsafe streams.append(stream)
    }

    private func submitSettings() {
        var entries = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue), value: settings.headerListBytes),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: settings.streamWindowBytes),
        ]
        switch role {
        case .server:
            entries.append(
                nghttp2_settings_entry(
                    settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
                    value: settings.maximumConcurrentStreams))
        case .client:
            entries.append(
                nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0))
        }
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        check(unsafe nghttp2_submit_settings(handle, none, entries, entries.count))
        check(unsafe nghttp2_session_set_local_window_size(handle, none, 0, settings.connectionWindowBytes))
    }

    /// What is submitted is valid by construction. A stream or session that is ending refuses it: a fair race. Only
    /// memory can run out, and then nothing else would work either.
    final func check(_ result: Int32) {
        precondition(result != NGHTTP2_ERR_NOMEM.rawValue, "nghttp2 ran out of memory")
    }
}
