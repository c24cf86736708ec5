import Cryptography
import TestSupport
import Testing

private func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}

private func bytes(_ hex: String) -> [UInt8] {
    stride(from: 0, to: hex.count, by: 2).map { offset in
        let start = hex.index(hex.startIndex, offsetBy: offset)
        return UInt8(hex[start...].prefix(2), radix: 16) ?? 0
    }
}

// FIPS 180-4, examples.
@Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
])
func sha256(_ text: String, _ digest: String) { #expect(hex(SHA256.digest(Array(text.utf8))) == digest) }

// RFC 4231, test cases 1 and 2.
@Test(arguments: [
    (
        String(repeating: "0b", count: 20), "Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    ("4a656665", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
])
func hmac(_ key: String, _ text: String, _ code: String) {
    #expect(hex(HMACSHA256.code(for: Array(text.utf8), key: bytes(key))) == code)
    #expect(HMACSHA256.isValid(bytes(code), for: Array(text.utf8), key: bytes(key)))
    #expect(!HMACSHA256.isValid(bytes(code), for: Array("\(text)x".utf8), key: bytes(key)))
    #expect(!HMACSHA256.isValid([], for: Array(text.utf8), key: bytes(key)))
}

// RFC 8032 section 7.1, test 2.
@Test func ed25519VerifiesTheKnownSignature() {
    let key = Ed25519PublicKey(
        rawBytes: bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
    let signature = bytes(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
            + "b00d291612bb0c00")
    #expect(key.isValid(signature: signature, for: [0x72]))
    #expect(!key.isValid(signature: signature, for: [0x73]))
}

@Test func everyChangeOfASignatureIsNoticed() {
    let key = Ed25519PrivateKey()
    let message = Array("message".utf8)
    let signature = key.sign(message)
    #expect(signature.count == 64 && key.publicKey.isValid(signature: signature, for: message))
    for index in signature.indices {
        var changed = signature
        changed[index] ^= 1
        #expect(!key.publicKey.isValid(signature: changed, for: message))
        #expect(!key.publicKey.isValid(signature: Array(signature[..<index]), for: message))
    }
    #expect(!Ed25519PrivateKey().publicKey.isValid(signature: signature, for: message))
}

@Test func keysAreReadFromPEM() throws {
    let pair = try TestAuthority().makeKeyPair("ed25519")
    let privateKey = try Ed25519PrivateKey(pem: pair.privateKey)
    let publicKey = try Ed25519PublicKey(pem: pair.publicKey)
    #expect(publicKey.isValid(signature: privateKey.sign([1, 2, 3]), for: [1, 2, 3]))
}

@Test(arguments: ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
func otherTextIsNoKey(_ pem: String) {
    #expect(throws: KeyError.self) { try Ed25519PrivateKey(pem: pem) }
    #expect(throws: KeyError.self) { try Ed25519PublicKey(pem: pem) }
}

@Test func aKeyOfAnotherKindIsRefused() throws {
    let pair = try TestAuthority().makeKeyPair("X25519")
    #expect(throws: KeyError.self) { try Ed25519PrivateKey(pem: pair.privateKey) }
    #expect(throws: KeyError.self) { try Ed25519PublicKey(pem: pair.publicKey) }
}

@Test func randomBytesDiffer() {
    #expect(randomBytes(32).count == 32 && randomBytes(32) != randomBytes(32) && randomBytes(0).isEmpty)
}
