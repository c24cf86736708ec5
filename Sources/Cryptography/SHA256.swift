internal import COpenSSL

/// The SHA-256 hash (FIPS 180-4).
public enum SHA256 {
    public static let byteCount = 32

    public static func digest(_ bytes: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { output, count in
            let result = unsafe EVP_Digest(bytes, bytes.count, output.baseAddress, nil, EVP_sha256(), nil)
            precondition(result == 1, "SHA-256 is always there")
            count = byteCount
        }
    }
}

/// The keyed hash HMAC-SHA-256 (RFC 2104).
public enum HMACSHA256 {
    public static func code(for bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { output, count in
            let result = unsafe HMAC(
                EVP_sha256(), key, Int32(key.count), bytes, bytes.count, output.baseAddress, nil)
            precondition(unsafe result != nil, "HMAC-SHA-256 is always there")
            count = SHA256.byteCount
        }
    }

    /// Compares in time that does not depend on where the codes differ.
    public static func isValid(_ code: [UInt8], for bytes: [UInt8], key: [UInt8]) -> Bool {
        let expected = self.code(for: bytes, key: key)
        guard code.count == expected.count else { return false }
        return unsafe CRYPTO_memcmp(code, expected, expected.count) == 0
    }
}
