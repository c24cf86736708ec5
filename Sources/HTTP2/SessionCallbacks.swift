internal import CNGHTTP2

/// The functions that the library calls. They find the session and the stream by unretained pointers: the connection
/// holds the session, and the session's list holds each stream until the library has closed it.
@safe enum SessionCallbacks {
    static func makeSession(_ role: HTTP2Role, _ settings: HTTP2Settings, owner: HTTP2Session) -> OpaquePointer? {
        var options: OpaquePointer?
        precondition(unsafe nghttp2_option_new(&options) == 0, "nghttp2 ran out of memory")
        defer { unsafe nghttp2_option_del(options) }
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        unsafe nghttp2_option_set_max_outbound_ack(options, settings.maximumQueuedAcknowledgements)
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, settings.resetBurst, settings.resetsPerSecond)
        unsafe nghttp2_option_set_max_continuations(options, settings.maximumContinuations)
        let pointer = unsafe Unmanaged.passUnretained(owner).toOpaque()
        var handle: OpaquePointer?
        let result =
            switch role {
            case .server: unsafe nghttp2_session_server_new2(&handle, table.server, pointer, options)
            case .client: unsafe nghttp2_session_client_new2(&handle, table.client, pointer, options)
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
            unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, onHeader)
            unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, onData)
            unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, onFrame)
            unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, onClose)
            unsafe nghttp2_session_callbacks_set_on_frame_send_callback(
                callbacks, role == .server ? onServerFrameSent : onClientFrameSent)
            return unsafe callbacks
        }
    }

    private static let table = Table()
}

private func session(_ pointer: UnsafeMutableRawPointer?) -> HTTP2Session {
    unsafe Unmanaged<HTTP2Session>.fromOpaque(pointer!).takeUnretainedValue()
}

private func stream(_ handle: OpaquePointer?, _ id: Int32) -> HTTP2Stream? {
    guard let pointer = unsafe nghttp2_session_get_stream_user_data(handle, id) else { return nil }
    return unsafe Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
}

private let endStream = UInt8(NGHTTP2_FLAG_END_STREAM.rawValue)

private let onBeginHeaders: nghttp2_on_begin_headers_callback = { handle, frame, owner in
    guard let frame = unsafe frame?.pointee else { return 0 }
    if unsafe frame.headers.cat == NGHTTP2_HCAT_REQUEST {
        let opened = unsafe session(owner).opened(frame.hd.stream_id)
        unsafe nghttp2_session_set_stream_user_data(
            handle, frame.hd.stream_id, Unmanaged.passUnretained(opened).toOpaque())
    } else if let known = unsafe stream(handle, frame.hd.stream_id) {
        known.headerListBytes = 0
        known.blockIsInformational = false
    }
    return 0
}

private let onHeader: nghttp2_on_header_callback = { handle, frame, name, nameCount, value, valueCount, _, owner in
    guard let frame = unsafe frame, let known = unsafe stream(handle, frame.pointee.hd.stream_id) else { return 0 }
    known.headerListBytes += UInt32(nameCount + valueCount + 32)
    guard known.headerListBytes <= (known.session?.settings.headerListBytes ?? 0) else {
        known.headersTooLarge = true
        return 0
    }
    let value = unsafe Span(_unsafeStart: value!, count: valueCount)
    let name = unsafe Span(_unsafeStart: name!, count: nameCount)
    // ":status" is the one pseudo-header that begins ":s" and has seven bytes in a response.
    if name.count == 7, name[0] == UInt8(ascii: ":"), name[2] == UInt8(ascii: "t"), value.count == 3 {
        known.blockIsInformational = value[0] == UInt8(ascii: "1")
    }
    known.receiveHeader(name, value)
    return 0
}

private let onData: nghttp2_on_data_chunk_recv_callback = { handle, _, id, bytes, count, _ in
    unsafe nghttp2_session_consume_connection(handle, count)
    guard let known = unsafe stream(handle, id) else { return 0 }
    unsafe known.receiveData(Span(_unsafeStart: bytes!, count: count))
    return 0
}

private let onFrame: nghttp2_on_frame_recv_callback = { handle, frame, owner in
    guard let frame = unsafe frame else { return 0 }
    let header = unsafe frame.pointee.hd
    switch UInt32(header.type) {
    case NGHTTP2_DATA.rawValue:
        guard header.flags & endStream != 0, let known = unsafe stream(handle, header.stream_id) else { return 0 }
        known.receiveEnd()
    case NGHTTP2_HEADERS.rawValue:
        guard let known = unsafe stream(handle, header.stream_id) else { return 0 }
        known.receiveHeadersEnd(unsafe kind(frame.pointee.headers.cat, known))
        if header.flags & endStream != 0, known.isOpen { known.receiveEnd() }
    case NGHTTP2_SETTINGS.rawValue:
        guard header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 else { return 0 }
        unsafe session(owner).delegate.receivedSettings()
    case NGHTTP2_PING.rawValue:
        guard header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 else { return 0 }
        unsafe session(owner).delegate.receivedPingAcknowledgement()
    case NGHTTP2_GOAWAY.rawValue:
        let goAway = unsafe frame.pointee.goaway
        unsafe session(owner).delegate.receivedGoAway(
            HTTP2ErrorCode(rawValue: goAway.error_code), lastStreamID: goAway.last_stream_id)
    default: break
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

private let onClose: nghttp2_on_stream_close_callback = { handle, id, code, owner in
    guard let known = unsafe stream(handle, id) else { return 0 }
    unsafe session(owner).remove(known)
    known.closed(HTTP2ErrorCode(rawValue: code))
    return 0
}

/// A server that has answered before the request ended tells the client to stop sending (RFC 9113 section 8.1).
private let onServerFrameSent: nghttp2_on_frame_send_callback = { handle, frame, _ in
    guard let header = unsafe frame?.pointee.hd, header.flags & endStream != 0 else { return 0 }
    guard header.type == UInt8(NGHTTP2_HEADERS.rawValue) || header.type == UInt8(NGHTTP2_DATA.rawValue) else {
        return 0
    }
    if unsafe nghttp2_session_get_stream_remote_close(handle, header.stream_id) == 0 {
        unsafe nghttp2_submit_rst_stream(
            handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), header.stream_id, HTTP2ErrorCode.noError.rawValue)
    }
    return 0
}

private let onClientFrameSent: nghttp2_on_frame_send_callback = { handle, frame, _ in
    guard let header = unsafe frame?.pointee.hd, header.type == UInt8(NGHTTP2_HEADERS.rawValue) else { return 0 }
    unsafe stream(handle, header.stream_id)?.headersWereSent = true
    return 0
}

private let readData: nghttp2_data_source_read_callback = { handle, id, buffer, count, flags, source, _ in
    let stream = unsafe Unmanaged<HTTP2Stream>.fromOpaque(source!.pointee.ptr).takeUnretainedValue()
    let moved = unsafe stream.queue.move(into: UnsafeMutableRawBufferPointer(start: buffer, count: count))
    if moved > 0 { stream.drained() }
    guard stream.queue.isEmpty else { return moved }
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
    case .done:
        unsafe flags!.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        return moved
    }
}
