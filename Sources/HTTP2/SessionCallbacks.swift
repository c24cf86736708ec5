internal import CNGHTTP2

/// The functions that the library calls. They find the session and the stream by unretained pointers: the connection
/// holds the session, and the session's list holds each stream until the library has closed it.
@safe enum SessionCallbacks {
    static func makeSession(
        _ role: HTTP2Role, _ settings: HTTP2Settings, _ blocks: BlockPool, owner: HTTP2Session
    ) -> OpaquePointer? {
        var options: OpaquePointer?
        precondition(unsafe nghttp2_option_new(&options) == 0, "nghttp2 ran out of memory")
        defer { unsafe nghttp2_option_del(options) }
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        unsafe nghttp2_option_set_no_auto_ping_ack(options, 1)
        unsafe nghttp2_option_set_max_outbound_ack(options, settings.maximumQueuedAcknowledgements)
        // The session counts resets itself, and says so to the peer; this is for what it might miss.
        unsafe nghttp2_option_set_stream_reset_rate_limit(
            options, UInt64(settings.resetBurst) * 2, UInt64(settings.resetsPerSecond) * 2)
        unsafe nghttp2_option_set_max_continuations(options, settings.maximumContinuations)
        let pointer = unsafe Unmanaged.passUnretained(owner).toOpaque()
        var handle: OpaquePointer?
        var memory = unsafe blocks.functions
        let result =
            switch role {
            case .server: unsafe nghttp2_session_server_new3(&handle, table.server, pointer, options, &memory)
            case .client: unsafe nghttp2_session_client_new3(&handle, table.client, pointer, options, &memory)
            }
        precondition(result == 0, "nghttp2 ran out of memory")
        return unsafe handle
    }

    static func dataProvider(_ stream: HTTP2Stream) -> nghttp2_data_provider {
        unsafe nghttp2_data_provider(
            source: nghttp2_data_source(ptr: Unmanaged.passUnretained(stream).toOpaque()), read_callback: readData)
    }

    /// Made once and only read afterwards.
    @safe private struct Table: @unchecked Sendable {
        let server: OpaquePointer?
        let client: OpaquePointer?

        init() {
            unsafe server = Self.make(.server)
            unsafe client = Self.make(.client)
        }

        private static func make(_ role: HTTP2Role) -> OpaquePointer? {
            var callbacks: OpaquePointer?
            precondition(unsafe nghttp2_session_callbacks_new(&callbacks) == 0, "nghttp2 ran out of memory")
            unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, onBeginHeaders)
            unsafe nghttp2_session_callbacks_set_on_header_callback(
                callbacks, role == .server ? onRequestHeader : onResponseHeader)
            unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, onData)
            unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, onFrame)
            unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, onClose)
            unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, onInvalidFrame)
            unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, onFrameSent)
            return unsafe callbacks
        }
    }

    private static let table = Table()
}

/// The session that a callback belongs to, which the connection holds meanwhile.
@inline(__always)
private func session<Result>(_ pointer: UnsafeMutableRawPointer?, _ body: (HTTP2Session) -> Result) -> Result {
    unsafe Unmanaged<HTTP2Session>.fromOpaque(pointer!)._withUnsafeGuaranteedRef(body)
}

private let endStream = UInt8(NGHTTP2_FLAG_END_STREAM.rawValue)
private let acknowledges = UInt8(NGHTTP2_FLAG_ACK.rawValue)

private let onBeginHeaders: nghttp2_on_begin_headers_callback = { handle, frame, owner in
    guard let frame = unsafe frame?.pointee else { return 0 }
    unsafe session(owner) { session in
        session.openHeaderBlock = true
        if unsafe frame.headers.cat == NGHTTP2_HCAT_REQUEST {
            let opened = unsafe session.opened(frame.hd.stream_id)
            unsafe nghttp2_session_set_stream_user_data(
                handle, frame.hd.stream_id, Unmanaged.passUnretained(opened).toOpaque())
        } else {
            unsafe session.withStream(frame.hd.stream_id) { stream in
                stream.headerListBytes = 0
                stream.blockIsInformational = false
            }
        }
    }
    return 0
}

private let onRequestHeader: nghttp2_on_header_callback = { _, frame, name, nameCount, value, valueCount, _, owner in
    let value = unsafe Span(_unsafeStart: value!, count: valueCount)
    let name = unsafe Span(_unsafeStart: name!, count: nameCount)
    return unsafe session(owner) { session in
        var isBearable = true
        unsafe session.withStream(frame!.pointee.hd.stream_id) { isBearable = $0.receiveField(name, value) }
        return isBearable ? 0 : session.refuseHeaderBlock()
    }
}

private let onResponseHeader: nghttp2_on_header_callback = {
    _, frame, name, nameCount, value, valueCount, _, owner in
    let value = unsafe Span(_unsafeStart: value!, count: valueCount)
    let name = unsafe Span(_unsafeStart: name!, count: nameCount)
    return unsafe session(owner) { session in
        var isBearable = true
        unsafe session.withStream(frame!.pointee.hd.stream_id) { stream in
            // ":status" is the one pseudo-header of a response.
            if name.count == 7, name[0] == UInt8(ascii: ":"), value.count == 3 {
                stream.blockIsInformational = value[0] == UInt8(ascii: "1")
            }
            isBearable = stream.receiveField(name, value)
        }
        return isBearable ? 0 : session.refuseHeaderBlock()
    }
}

private let onData: nghttp2_on_data_chunk_recv_callback = { _, _, id, bytes, count, owner in
    let bytes = unsafe Span(_unsafeStart: bytes!, count: count)
    unsafe session(owner) { session in
        session.receivedDataBytes += bytes.count
        session.withStream(id) { $0.receiveData(bytes) }
    }
    return 0
}

private let onFrame: nghttp2_on_frame_recv_callback = { _, frame, owner in
    guard let frame = unsafe frame else { return 0 }
    let header = unsafe frame.pointee.hd
    unsafe session(owner) { session in
        switch UInt32(header.type) {
        case NGHTTP2_DATA.rawValue:
            guard header.flags & endStream != 0 else {
                if unsafe header.length <= frame.pointee.data.padlen { session.receivedIdleFrame() }
                return
            }
            session.withStream(header.stream_id) { stream in
                stream.remoteHasEnded = true
                stream.receiveEnd()
            }
        case NGHTTP2_HEADERS.rawValue:
            session.openHeaderBlock = false
            let category = unsafe frame.pointee.headers.cat
            session.withStream(header.stream_id) { stream in
                if header.flags & endStream != 0 { stream.remoteHasEnded = true }
                stream.receiveHeadersEnd(kind(category, stream))
                if stream.remoteHasEnded, stream.isListed { stream.receiveEnd() }
            }
        case NGHTTP2_SETTINGS.rawValue:
            guard header.flags & acknowledges == 0 else { return }
            session.receivedIdleFrame()
            session.delegate.receivedSettings()
        case NGHTTP2_PING.rawValue:
            guard header.flags & acknowledges == 0 else { return session.delegate.receivedPingAcknowledgement() }
            session.receivedIdleFrame()
            session.answerPing(unsafe frame.pointee.ping)
            session.delegate.receivedPing()
        case NGHTTP2_PRIORITY.rawValue: session.receivedIdleFrame()
        case NGHTTP2_RST_STREAM.rawValue: session.countReset()
        case NGHTTP2_GOAWAY.rawValue:
            let goAway = unsafe frame.pointee.goaway
            let reason = unsafe UnsafeBufferPointer(start: goAway.opaque_data, count: goAway.opaque_data_len)
            session.goAwayReason = unsafe Array(reason.prefix(64))
            unsafe session.delegate.receivedGoAway(
                HTTP2ErrorCode(rawValue: goAway.error_code), lastStreamID: goAway.last_stream_id)
        default: break
        }
    }
    return 0
}

/// The library's categories do not tell interim responses from the final one, so the status has to.
private func kind(_ category: nghttp2_headers_category, _ stream: HTTP2Stream) -> HeadersKind {
    if category == NGHTTP2_HCAT_REQUEST { return .initial }
    if stream.blockIsInformational { return .informational }
    defer { stream.sawInitialHeaders = true }
    return stream.session?.role == .server || stream.sawInitialHeaders ? .trailing : .initial
}

private let onClose: nghttp2_on_stream_close_callback = { _, id, code, owner in
    unsafe session(owner) { $0.closed(id, HTTP2ErrorCode(rawValue: code)) }
    return 0
}

/// The library answers an invalid frame by itself, if at all by a reset, which `onFrameSent` counts.
private let onInvalidFrame: nghttp2_on_invalid_frame_recv_callback = { _, frame, _, owner in
    guard unsafe frame?.pointee.hd.type == UInt8(NGHTTP2_HEADERS.rawValue) else { return 0 }
    unsafe session(owner) { $0.openHeaderBlock = false }
    return 0
}

private let onFrameSent: nghttp2_on_frame_send_callback = { _, frame, owner in
    guard let frame = unsafe frame else { return 0 }
    let header = unsafe frame.pointee.hd
    unsafe session(owner) { session in
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            session.sentCallFrame(header.stream_id, ends: header.flags & endStream != 0)
        case NGHTTP2_RST_STREAM.rawValue:
            // What we give up or refuse to read on is our decision; everything else, the peer has provoked.
            let code = unsafe HTTP2ErrorCode(rawValue: frame.pointee.rst_stream.error_code)
            guard code != .noError, code != .cancel else { return }
            var isOurs = false
            session.withStream(header.stream_id) { isOurs = $0.isResetOnPurpose }
            if !isOurs { session.countReset() }
        default: break
        }
    }
    return 0
}

private let readData: nghttp2_data_source_read_callback = { handle, id, buffer, count, flags, source, _ in
    unsafe Unmanaged<HTTP2Stream>.fromOpaque(source!.pointee.ptr)._withUnsafeGuaranteedRef { stream in
        var room = count
        if stream.allowance != nil {
            room = stream.spendAllowance(count)
            if room == 0, unsafe !stream.queue.isEmpty {
                stream.isDeferred = true
                return Int(NGHTTP2_ERR_DEFERRED.rawValue)
            }
        }
        let moved = unsafe stream.queue.move(into: UnsafeMutableRawBufferPointer(start: buffer, count: room))
        if moved > 0 {
            if let session = stream.session {
                session.queuedBytes -= moved
                session.takenBytes &+= moved
            }
            stream.drained()
        }
        guard unsafe stream.queue.isEmpty else { return moved }
        switch stream.end {
        case .open:
            guard moved == 0 else { return moved }
            stream.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        case .afterQueue(let trailers):
            stream.end = .done
            unsafe flags!.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if let trailers {
                unsafe flags!.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                _ = unsafe trailers.withFields { unsafe nghttp2_submit_trailer(handle, id, $0, $1) }
            }
            return moved
        case .resetAfterQueue(let code):
            stream.end = .done
            // Resets go out before the data of any stream, this one's last bytes excepted, which are being packed.
            stream.reset(code, onPurpose: true)
            guard moved == 0 else { return moved }
            stream.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        case .done:
            unsafe flags!.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            return moved
        }
    }
}
