internal import CNGHTTP2

/// What a block of header fields is.
public enum HeadersKind: Sendable, Hashable {
    /// A request, or a final response.
    case initial
    /// An interim response (1xx).
    case informational
    case trailing
}

/// One stream of an `HTTP2Session`; subclasses say what its events mean.
///
/// The session calls the `receive…`, `drained` and `closed` methods, on the thread that drives it and inside its
/// callbacks: they may submit output, but never call the session's `receive`, `produce` or `close`.
open class HTTP2Stream {
    /// 0 before the request is submitted.
    public final var id: Int32 { number }
    /// Submitted or opened by the peer, and not closed yet.
    public final var isOpen: Bool { isListed }
    /// The header list was larger than the announced limit; the fields past it were dropped.
    public final var headersTooLarge: Bool { headerListBytes > headerListLimit }
    /// The HEADERS of this stream have left the library: the peer may see them.
    public final var headersWereSent: Bool { sentHeaders }

    // Stored properties are visible in this module alone, so that the compiler can tell that no accesses overlap.
    final var number: Int32 = 0
    final var isListed = false
    final var sentHeaders = false
    /// The peer has sent its last byte.
    final var remoteHasEnded = false
    final var headerListLimit: UInt32 = 0
    /// Set while the stream is in the session's list, which thereby keeps both alive until it is closed. (A weak
    /// reference would cost a side table for each session and slow down every retain of it.)
    final var session: HTTP2Session?
    final var listIndex = -1
    final var headerListBytes: UInt32 = 0
    final var blockIsInformational = false
    final var sawInitialHeaders = false
    /// Unchecked: no access of it calls out.
    @exclusivity(unchecked) final var queue = OutboundQueue()
    final var end = End.open
    final var isDeferred = false

    enum End {
        case open
        case afterQueue(trailers: HeaderBlock?)
        case resetAfterQueue(HTTP2ErrorCode)
        case done
    }

    /// What `allowedBytes` says.
    final var allowance: Int?
    /// This side resets the stream although the peer has done nothing wrong.
    final var isResetOnPurpose = false

    public init() {}

    /// Bytes written and not yet taken by the peer's window.
    public final var outboundBytes: Int { unsafe queue.byteCount }

    /// Bytes of data that the peer may send before it is given window again.
    public final var receiveWindowBytes: Int { session?.receiveWindowBytes(of: self) ?? 0 }

    /// One field. The bytes are valid during the call.
    open func receiveHeader(_ name: Span<UInt8>, _ value: Span<UInt8>) {}
    /// The block is complete.
    open func receiveHeadersEnd(_ kind: HeadersKind) {}
    /// Data that counts against the stream's window until `consume` gives it back.
    open func receiveData(_ bytes: Span<UInt8>) {}
    /// The peer has sent its last byte.
    open func receiveEnd() {}
    /// `outboundBytes` has become smaller.
    open func drained() {}
    /// The stream is gone; nothing else is called. `code` is `noError` after a regular end.
    open func closed(_ code: HTTP2ErrorCode) {}

    /// Delivers a field while the list is within its limit. False when it is so far past it that going on would cost
    /// us more than the peer: a byte on the wire can stand for a field of 4 KiB (RFC 7541 section 6.1).
    @inline(__always)
    final func receiveField(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        headerListBytes += UInt32(name.count + value.count + 32)
        guard headerListBytes <= headerListLimit else { return headerListBytes / 4 <= headerListLimit }
        receiveHeader(name, value)
        return true
    }

    // MARK: Output

    /// Queues data. Do not call after `finish`; ignored when the stream is closed.
    public final func write(_ chunk: OutboundChunk) {
        guard isListed, case .open = end else { return }
        unsafe queue.append(chunk)
        session?.queuedBytes += chunk.count
        resume()
    }

    /// Ends this side after the queued data, with `trailers` if there are any; ignored the second time.
    public final func finish(trailers: HeaderBlock? = nil) {
        guard isListed, case .open = end else { return }
        end = .afterQueue(trailers: trailers)
        resume()
    }

    /// Ends the stream after the queued data by RST_STREAM with `code`. Call after `respond`; ignored after `finish`.
    public final func finish(resetting code: HTTP2ErrorCode) {
        guard isListed, case .open = end else { return }
        end = .resetAfterQueue(code)
        resume()
    }

    /// How many bytes of data may still go out; what is queued past them waits. Nil, the default, is no limit.
    public final var allowedBytes: Int? {
        get { allowance }
        set {
            allowance = newValue
            resume()
        }
    }

    /// Takes what is allowed of `count` bytes out of the allowance.
    final func spendAllowance(_ count: Int) -> Int {
        guard let allowance else { return count }
        let spent = min(count, allowance, unsafe queue.byteCount)
        self.allowance = allowance - spent
        return spent
    }

    /// Sends the response's fields. `endsStream` sends nothing but them.
    public final func respond(_ headers: HeaderBlock, endsStream: Bool) {
        guard isListed, let session else { return }
        if endsStream { end = .done }
        session.submitResponse(self, headers, endsStream: endsStream)
    }

    /// Ends the stream at once, dropping what is queued.
    ///
    /// - Parameter onPurpose: the peer has not provoked it, whatever the code says.
    public final func reset(_ code: HTTP2ErrorCode, onPurpose: Bool = false) {
        guard isListed, let session else { return }
        if onPurpose { isResetOnPurpose = true }
        session.submitReset(self, code)
    }

    /// Gives `bytes` of the window back to the peer.
    public final func consume(_ bytes: Int) {
        guard isListed, bytes > 0, let session else { return }
        session.consume(self, bytes)
    }

    private func resume() {
        guard isDeferred, let session else { return }
        isDeferred = false
        session.resumeData(self)
    }
}
