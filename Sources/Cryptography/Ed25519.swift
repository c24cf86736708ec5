internal import COpenSSL

/// A key could not be read.
public struct KeyError: Error, Hashable, CustomStringConvertible {
    public let description: String
}

/// An `EVP_PKEY` with an Ed25519 key. Owns one reference and gives it back once.
///
/// @unchecked: never changes after `init`; OpenSSL lets threads share such a key for reading.
@safe private final class Key: @unchecked Sendable {
    let handle: OpaquePointer

    init(taking handle: OpaquePointer?) throws(KeyError) {
        guard let handle = unsafe handle else { throw KeyError(description: "no readable key") }
        unsafe self.handle = handle
        guard unsafe EVP_PKEY_get_id(handle) == EVP_PKEY_ED25519 else {
            throw KeyError(description: "not an Ed25519 key")
        }
    }

    deinit { unsafe EVP_PKEY_free(handle) }

    static func reading(
        _ pem: String, _ read: (OpaquePointer) -> OpaquePointer?
    ) throws(KeyError) -> Key {
        let bytes = Array(pem.utf8)
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { throw KeyError(description: "out of memory") }
        defer { unsafe BIO_free(bio) }
        // An empty text writes nothing, and reading then finds no key.
        unsafe BIO_write(bio, bytes, Int32(bytes.count))
        return try unsafe Key(taking: read(bio))
    }
}

/// Without it, OpenSSL would ask for a passphrase at the terminal.
private func noPassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }

/// The half that signs (RFC 8032).
public struct Ed25519PrivateKey: Sendable {
    private let key: Key

    /// Reads a PKCS #8 key in PEM form, as `openssl genpkey -algorithm ed25519` writes it.
    public init(pem: String) throws(KeyError) {
        key = try unsafe Key.reading(pem) { unsafe PEM_read_bio_PrivateKey($0, nil, noPassphrase, nil) }
    }

    /// A fresh key.
    public init() {
        do throws(KeyError) {
            key = try unsafe Key(taking: copenssl_make_ed25519_key())
        } catch {
            preconditionFailure("\(error)")
        }
    }

    public var publicKey: Ed25519PublicKey { Ed25519PublicKey(rawBytes: rawPublicBytes) }

    /// 64 bytes; the same message gives the same signature.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var count = 64
        var signature = [UInt8](repeating: 0, count: count)
        let ready = unsafe EVP_DigestSignInit(context, nil, nil, nil, key.handle)
        let signed = unsafe EVP_DigestSign(context, &signature, &count, message, message.count)
        precondition(ready == 1 && signed == 1 && count == 64, "signing with a valid key does not fail")
        return signature
    }

    private var rawPublicBytes: [UInt8] {
        var count = 32
        var bytes = [UInt8](repeating: 0, count: count)
        let result = unsafe EVP_PKEY_get_raw_public_key(key.handle, &bytes, &count)
        precondition(result == 1 && count == 32, "a key has its public half")
        return bytes
    }
}

/// The half that verifies (RFC 8032).
public struct Ed25519PublicKey: Sendable {
    private let key: Key

    /// Reads a public key in PEM form, as `openssl pkey -pubout` writes it.
    public init(pem: String) throws(KeyError) {
        key = try unsafe Key.reading(pem) { unsafe PEM_read_bio_PUBKEY($0, nil, noPassphrase, nil) }
    }

    /// - Parameter rawBytes: 32 bytes.
    public init(rawBytes: [UInt8]) {
        precondition(rawBytes.count == 32, "an Ed25519 public key has 32 bytes")
        do throws(KeyError) {
            key = try unsafe Key(taking: EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, rawBytes, 32))
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Whether `signature` was made over `message` by the private half.
    public func isValid(signature: [UInt8], for message: [UInt8]) -> Bool {
        let context = unsafe EVP_MD_CTX_new()
        defer {
            unsafe EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        guard signature.count == 64, unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key.handle) == 1 else {
            return false
        }
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}
