internal import COpenSSL

/// Certificates, keys and rules as one reading of the files gave them. Owns the `SSL_CTX` and frees it once.
///
/// @unchecked: set up in `init`, only read afterwards; OpenSSL counts its references atomically.
@safe final class TLSMaterial: @unchecked Sendable {
    enum Role { case client, server }

    let role: Role
    let serverName: String?
    let applicationProtocol: String
    /// URIs as they are, DNS names in lower case.
    let allowedPeers: Set<String>?
    let handle: OpaquePointer

    /// Throws `configuration` when a file cannot be read or a key does not fit its certificate.
    init(server configuration: TLSServerConfiguration) throws(TLSError) {
        role = .server
        serverName = nil
        applicationProtocol = configuration.applicationProtocol
        allowedPeers = configuration.allowedClients.map(Self.normalized)
        unsafe handle = try Self.makeHandle(TLS_server_method())
        try use(configuration.identity)
        let mode =
            switch configuration.clientCertificates {
            case .none: SSL_VERIFY_NONE
            case .optional: SSL_VERIFY_PEER
            case .required: SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
            }
        if configuration.clientCertificates != .none {
            guard let roots = configuration.trustRoots else {
                throw .configuration("verifying clients needs trust roots")
            }
            try trust(roots)
            if let list = configuration.revocationList { try revoke(list) }
        }
        unsafe SSL_CTX_set_verify(handle, mode, verifyName)
        unsafe SSL_CTX_set_alpn_select_cb(handle, selectProtocol, Unmanaged.passUnretained(self).toOpaque())
        unsafe SSL_CTX_set_ex_data(handle, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Throws like `init(server:)`.
    init(client configuration: TLSClientConfiguration) throws(TLSError) {
        role = .client
        serverName = configuration.serverName
        applicationProtocol = configuration.applicationProtocol
        allowedPeers = configuration.allowedServers.map(Self.normalized)
        unsafe handle = try Self.makeHandle(TLS_client_method())
        if let identity = configuration.identity { try use(identity) }
        switch configuration.verification {
        case .authorityAndName:
            if let roots = configuration.trustRoots {
                try trust(roots)
            } else {
                try check(unsafe SSL_CTX_set_default_verify_paths(handle), "the system's trust roots")
            }
            if let list = configuration.revocationList { try revoke(list) }
            unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_PEER, verifyName)
        case .none:
            guard configuration.trustRoots == nil, configuration.revocationList == nil, allowedPeers == nil else {
                throw .configuration("trust roots, a revocation list or allowed servers, and no verification")
            }
            unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_NONE, nil)
        }
        let list = [UInt8(applicationProtocol.utf8.count)] + Array(applicationProtocol.utf8)
        guard unsafe SSL_CTX_set_alpn_protos(handle, list, UInt32(list.count)) == 0 else {
            throw .configuration("application protocol \(applicationProtocol)")
        }
        unsafe SSL_CTX_set_ex_data(handle, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { unsafe SSL_CTX_free(handle) }

    private static func normalized(_ names: Set<String>) -> Set<String> {
        // Only URIs have a colon; their case matters.
        Set(names.map { $0.contains(":") ? $0 : $0.lowercased() })
    }

    private static func makeHandle(_ method: OpaquePointer?) throws(TLSError) -> OpaquePointer {
        ERR_clear_error()
        guard let handle = unsafe SSL_CTX_new(method) else {
            throw .configuration(TLSError.queuedText("no TLS context"))
        }
        unsafe SSL_CTX_set_options(handle, copenssl_options)
        unsafe copenssl_disable_session_cache(handle)
        unsafe SSL_CTX_set_num_tickets(handle, 0)
        let modes =
            SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS
        unsafe _ = copenssl_set_mode(handle, Int(modes))
        guard unsafe copenssl_set_minimum_version(handle, TLS1_2_VERSION) == 1,
            unsafe SSL_CTX_set_cipher_list(handle, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1
        else {
            unsafe SSL_CTX_free(handle)
            throw .configuration(TLSError.queuedText("versions and ciphers"))
        }
        return unsafe handle
    }

    private func use(_ identity: TLSIdentity) throws(TLSError) {
        let chain = try PEMReader.certificates(in: identity.certificateChain)
        guard let own = chain.first else { throw .configuration("no certificate in \(identity.certificateChain)") }
        try check(unsafe SSL_CTX_use_certificate(handle, own.handle), "the certificate")
        for intermediate in chain.dropFirst() {
            // The context takes a reference of its own.
            unsafe X509_up_ref(intermediate.handle)
            try check(unsafe copenssl_add_chain_certificate(handle, intermediate.handle), "the certificate chain")
        }
        let key = try PEMReader.privateKey(in: identity.privateKey)
        try check(unsafe SSL_CTX_use_PrivateKey(handle, key.handle), "the private key")
        try check(unsafe SSL_CTX_check_private_key(handle), "the private key does not fit the certificate")
    }

    private func trust(_ roots: PEM) throws(TLSError) {
        let certificates = try PEMReader.certificates(in: roots)
        guard !certificates.isEmpty else { throw .configuration("no certificate in \(roots)") }
        let store = unsafe SSL_CTX_get_cert_store(handle)
        for certificate in certificates {
            try check(unsafe X509_STORE_add_cert(store, certificate.handle), "the trust roots")
            if role == .server { unsafe SSL_CTX_add_client_CA(handle, certificate.handle) }
        }
    }

    /// Has every certificate of a peer's chain looked up: one whose issuer has no list here, or only one that is out of
    /// date, is refused as well.
    private func revoke(_ list: PEM) throws(TLSError) {
        let lists = try PEMReader.revocationLists(in: list)
        guard !lists.isEmpty else { throw .configuration("no revocation list in \(list)") }
        let store = unsafe SSL_CTX_get_cert_store(handle)
        for list in lists { try check(unsafe X509_STORE_add_crl(store, list.handle), "the revocation list") }
        let flags = UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL)
        try check(unsafe X509_STORE_set_flags(store, flags), "the revocation list")
    }

    private func check(_ result: Int32, _ what: String) throws(TLSError) {
        guard result == 1 else { throw .configuration("\(what): \(TLSError.queuedText("refused"))") }
    }
}

private func material(_ pointer: UnsafeMutableRawPointer?) -> TLSMaterial? {
    guard let pointer = unsafe pointer else { return nil }
    return unsafe Unmanaged<TLSMaterial>.fromOpaque(pointer).takeUnretainedValue()
}

/// Adds the list of allowed names to the verification of a chain, so that a refused peer is told by an alert. The
/// engine holds the material while a handshake runs.
private let verifyName: SSL_verify_cb = { isValid, store in
    guard isValid == 1, unsafe X509_STORE_CTX_get_error_depth(store) == 0 else { return isValid }
    let ssl = unsafe X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
    guard let ssl = unsafe ssl, let owner = unsafe material(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(OpaquePointer(ssl)), 0))
    else { return 0 }
    guard let allowed = owner.allowedPeers else { return 1 }
    guard let certificate = unsafe X509_STORE_CTX_get_current_cert(store) else { return 0 }
    guard unsafe !PeerCertificate(reading: certificate).isOneOf(allowed) else { return 1 }
    unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
    return 0
}

/// Chooses the one protocol there is, or ends the handshake with the alert `no_application_protocol`.
private let selectProtocol: SSL_CTX_alpn_select_cb_func = { _, output, outputCount, input, inputCount, owner in
    guard let wanted = unsafe material(owner)?.applicationProtocol.utf8, let input = unsafe input else {
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
    var offset = 0
    while offset < Int(inputCount) {
        let count = unsafe Int(input[offset])
        guard offset + 1 + count <= Int(inputCount) else { break }
        if unsafe UnsafeBufferPointer(start: input + offset + 1, count: count).elementsEqual(wanted) {
            unsafe output?.pointee = input + offset + 1
            unsafe outputCount?.pointee = UInt8(count)
            return SSL_TLSEXT_ERR_OK
        }
        offset += 1 + count
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
