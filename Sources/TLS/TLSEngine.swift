internal import COpenSSL

/// What one step gave.
public enum TLSOutcome: Hashable, Sendable {
    case complete
    /// Nothing goes on until the peer has sent more.
    case wantsMoreInput
}

/// What one attempt to read gave.
public enum TLSReadOutcome: Hashable, Sendable {
    case bytes(Int)
    case wantsMoreInput
    /// The peer has ended the connection in order.
    case closed
}

/// TLS of one connection without a socket: ciphertext in by `receive`, out by `moveOutput`.
///
/// Owns the `SSL` and frees it once. Confine it to one thread.
@safe public final class TLSEngine {
    private let material: TLSMaterial
    private let handle: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    public private(set) var isEstablished = false

    /// - Parameter serverName: for clients: the host that is dialled, a DNS name or numeric address; the context's own
    ///   name comes first.
    public init(_ context: TLSContext, serverName: String? = nil) throws(TLSError) {
        material = context.current()
        ERR_clear_error()
        guard let handle = unsafe SSL_new(material.handle) else {
            throw .configuration(TLSError.queuedText("no TLS connection"))
        }
        guard let input = unsafe BIO_new(BIO_s_mem()), let output = unsafe BIO_new(BIO_s_mem()) else {
            preconditionFailure("out of memory")
        }
        unsafe copenssl_set_retry_when_empty(input)
        unsafe copenssl_set_retry_when_empty(output)
        unsafe SSL_set_bio(handle, input, output)  // Takes both.
        unsafe self.handle = handle
        unsafe self.input = input
        unsafe self.output = output
        switch material.role {
        case .server: unsafe SSL_set_accept_state(handle)
        case .client:
            unsafe SSL_set_connect_state(handle)
            guard let name = material.serverName ?? serverName else {
                throw .configuration("a client needs the server's name")
            }
            try expect(name)
        }
    }

    deinit { unsafe SSL_free(handle) }

    /// The peer's certificate, verified unless a client's configuration says otherwise; nil when it has shown none.
    public var peerCertificate: PeerCertificate? {
        guard let certificate = unsafe SSL_get1_peer_certificate(handle) else { return nil }
        defer { unsafe X509_free(certificate) }
        return unsafe PeerCertificate(reading: certificate)
    }

    /// Takes ciphertext from the peer.
    public func receive(_ ciphertext: Span<UInt8>) {
        unsafe ciphertext.withUnsafeBufferPointer { bytes in
            guard !bytes.isEmpty else { return }
            let written = unsafe BIO_write(input, bytes.baseAddress, Int32(bytes.count))
            precondition(written == bytes.count, "a memory BIO takes everything")
        }
    }

    /// Goes on with the handshake. After an error, output may hold an alert for the peer.
    public func handshake() throws(TLSError) -> TLSOutcome {
        guard !isEstablished else { return .complete }
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(handle)
        guard result == 1 else {
            guard unsafe SSL_get_error(handle, result) == SSL_ERROR_WANT_READ else { throw handshakeError() }
            return .wantsMoreInput
        }
        // A peer without the extension has asked for no protocol at all.
        var count: UInt32 = 0
        var chosen: UnsafePointer<UInt8>?
        unsafe SSL_get0_alpn_selected(handle, &chosen, &count)
        guard count > 0 else { throw .noApplicationProtocol }
        isEstablished = true
        return .complete
    }

    /// Decrypts into `buffer` what has come.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(TLSError) -> TLSReadOutcome {
        ERR_clear_error()
        let count = unsafe SSL_read(handle, buffer.baseAddress, Int32(clamping: buffer.count))
        if count > 0 { return .bytes(Int(count)) }
        switch unsafe SSL_get_error(handle, count) {
        case SSL_ERROR_WANT_READ: return .wantsMoreInput
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: throw .connection(TLSError.queuedText("broken record"))
        }
    }

    /// Encrypts all of `plaintext` to the output.
    public func write(_ plaintext: UnsafeRawBufferPointer) throws(TLSError) {
        var offset = 0
        while offset < plaintext.count {
            ERR_clear_error()
            let rest = unsafe UnsafeRawBufferPointer(rebasing: plaintext[offset...])
            let count = unsafe SSL_write(handle, rest.baseAddress, Int32(clamping: rest.count))
            guard count > 0 else { throw .connection(TLSError.queuedText("cannot write")) }
            offset += Int(count)
        }
    }

    /// Tells the peer that nothing follows.
    public func close() {
        guard isEstablished else { return }
        ERR_clear_error()
        unsafe SSL_shutdown(handle)
        ERR_clear_error()
    }

    /// Ciphertext for the peer that waits.
    public var outputBytes: Int { unsafe Int(BIO_ctrl_pending(output)) }

    /// Moves ciphertext for the peer into `buffer` and returns how many bytes.
    public func moveOutput(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard outputBytes > 0 else { return 0 }
        return unsafe Int(max(0, BIO_read(output, buffer.baseAddress, Int32(clamping: buffer.count))))
    }

    private func expect(_ name: String) throws(TLSError) {
        let parameters = unsafe SSL_get0_param(handle)
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 { return }
        ERR_clear_error()
        unsafe SSL_set_hostflags(handle, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        guard unsafe SSL_set1_host(handle, name) == 1, unsafe copenssl_set_server_name(handle, name) == 1 else {
            throw .configuration("server name \(name)")
        }
    }

    private func handshakeError() -> TLSError {
        let code = unsafe SSL_get_verify_result(handle)
        let text = TLSError.queuedText("the peer closed the connection")
        let isVerified = unsafe SSL_get_verify_mode(handle) != SSL_VERIFY_NONE
        guard isVerified, code != Int(X509_V_OK) else { return .handshake(text) }
        if code == Int(X509_V_ERR_APPLICATION_VERIFICATION) {
            return .certificate("\(peerNames) is not on the list of allowed peers")
        }
        return .certificate(unsafe String(cString: X509_verify_cert_error_string(code)))
    }

    private var peerNames: String {
        guard let certificate = peerCertificate else { return "the peer" }
        return (certificate.uris + certificate.dnsNames).joined(separator: ", ")
    }
}
