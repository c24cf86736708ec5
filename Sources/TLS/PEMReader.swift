internal import COpenSSL

/// A certificate. Owns one reference and gives it back once.
@safe final class Certificate {
    let handle: OpaquePointer
    init(taking handle: OpaquePointer) { unsafe self.handle = handle }
    deinit { unsafe X509_free(handle) }
}

/// A private key. Owns one reference and gives it back once.
@safe final class PrivateKey {
    let handle: OpaquePointer
    init(taking handle: OpaquePointer) { unsafe self.handle = handle }
    deinit { unsafe EVP_PKEY_free(handle) }
}

/// A list of revoked certificates. Owns one reference and gives it back once.
@safe final class RevocationList {
    let handle: OpaquePointer
    init(taking handle: OpaquePointer) { unsafe self.handle = handle }
    deinit { unsafe X509_CRL_free(handle) }
}

/// Reads certificates, keys and revocation lists from PEM text. Keys with a passphrase are refused.
enum PEMReader {
    static func certificates(in pem: PEM) throws(TLSError) -> [Certificate] {
        let bio = try unsafe open(pem)
        defer { unsafe BIO_free(bio) }
        var certificates: [Certificate] = []
        while let handle = unsafe PEM_read_bio_X509(bio, nil, noPassphrase, nil) {
            certificates.append(unsafe Certificate(taking: handle))
        }
        try expectEnd("certificate", in: pem)
        return certificates
    }

    static func revocationLists(in pem: PEM) throws(TLSError) -> [RevocationList] {
        let bio = try unsafe open(pem)
        defer { unsafe BIO_free(bio) }
        var lists: [RevocationList] = []
        while let handle = unsafe PEM_read_bio_X509_CRL(bio, nil, noPassphrase, nil) {
            lists.append(unsafe RevocationList(taking: handle))
        }
        try expectEnd("revocation list", in: pem)
        return lists
    }

    /// The end of the text is reported as an error too: that nothing begins any more. All others mean damage, such as a
    /// file that is half written.
    private static func expectEnd(_ what: String, in pem: PEM) throws(TLSError) {
        let code = ERR_peek_last_error()
        guard copenssl_is_end_of_pem(code) else {
            throw .configuration("\(pem.place): a broken \(what): \(TLSError.queuedText("unreadable"))")
        }
        ERR_clear_error()
    }

    static func privateKey(in pem: PEM) throws(TLSError) -> PrivateKey {
        let bio = try unsafe open(pem)
        defer { unsafe BIO_free(bio) }
        guard let handle = unsafe PEM_read_bio_PrivateKey(bio, nil, noPassphrase, nil) else {
            throw .configuration("no private key: \(TLSError.queuedText("unreadable"))")
        }
        return unsafe PrivateKey(taking: handle)
    }

    private static func open(_ pem: PEM) throws(TLSError) -> OpaquePointer {
        ERR_clear_error()
        switch pem {
        case .file(let path):
            guard let bio = unsafe BIO_new_file(path, "r") else {
                throw .configuration("\(path): \(TLSError.queuedText("unreadable"))")
            }
            return unsafe bio
        case .bytes(let bytes):
            guard let bio = unsafe BIO_new(BIO_s_mem()) else { throw .configuration("out of memory") }
            let written = unsafe bytes.withUnsafeBytes { unsafe BIO_write(bio, $0.baseAddress, Int32($0.count)) }
            guard written == bytes.count else {
                unsafe BIO_free(bio)
                throw .configuration("empty PEM text")
            }
            return unsafe bio
        }
    }
}

/// Without it, OpenSSL would ask for a passphrase at the terminal.
private func noPassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }
