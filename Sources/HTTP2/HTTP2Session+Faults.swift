internal import CNGHTTP2

/// What a session does only to test its peer.
extension HTTP2Session {
    /// GOAWAY that names any stream of the peer as the last. Streams above it are closed with REFUSED_STREAM.
    ///
    /// - Parameter last: odd for the streams of a client, or 0.
    public func submitGoAway(_ code: HTTP2ErrorCode, last: Int32) {
        guard let handle = unsafe handle else { return }
        check(unsafe nghttp2_submit_goaway(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code.rawValue, nil, 0))
        delegate.sessionHasOutput()
    }

    /// Changes the window of all streams, also of those that are open (RFC 9113 section 6.9.2). With 0 it stays shut:
    /// what is given back only pays for what had been sent.
    public func announce(streamWindowBytes: UInt32) {
        submit(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, streamWindowBytes)
    }

    /// Changes how many streams the peer may have open; what it opens beyond is refused.
    public func announce(maximumConcurrentStreams: UInt32) {
        submit(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, maximumConcurrentStreams)
    }

    /// The beginning of a DATA frame that is one byte larger than the peer takes, for writing beside the session's frames.
    public var oversizedFrame: [UInt8] {
        guard let handle = unsafe handle else { return [] }
        let length = unsafe nghttp2_session_get_remote_settings(handle, NGHTTP2_SETTINGS_MAX_FRAME_SIZE) + 1
        let stream = unsafe UInt32(max(1, nghttp2_session_get_last_proc_stream_id(handle)))
        let size = [16, 8, 0].map { UInt8(truncatingIfNeeded: length >> UInt32($0)) }
        let number = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: stream >> UInt32($0)) }
        return size + [UInt8(NGHTTP2_DATA.rawValue), 0] + number
    }

    private func submit(_ setting: nghttp2_settings_id, _ value: UInt32) {
        guard let handle = unsafe handle else { return }
        let entry = nghttp2_settings_entry(settings_id: Int32(setting.rawValue), value: value)
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        check(unsafe withUnsafePointer(to: entry) { unsafe nghttp2_submit_settings(handle, none, $0, 1) })
        delegate.sessionHasOutput()
    }
}
