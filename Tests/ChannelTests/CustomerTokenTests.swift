import Cryptography
import Domain
import RPCCore
import TestSupport
import Testing

@testable import Channel

private let key = Ed25519PrivateKey()
private let now = UnixTime(seconds: 1_800_000_000)

private func token(_ customer: String = "alice", expires: UnixTime = now + .seconds(60)) throws -> String {
    try CustomerToken(customer: try CustomerID(customer), expires: expires).signed(with: key)
}

@Test func aSignedTokenNamesItsCustomerUntilItExpires() throws {
    let text = try token()
    #expect(text.hasPrefix("eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9."))  // {"alg":"EdDSA","typ":"JWT"}
    let read = try CustomerToken(text, verifiedWith: key.publicKey, at: now)
    #expect(read.customer.text == "alice" && read.expires == now + .seconds(60))
    #expect(try CustomerToken(text, verifiedWith: key.publicKey, at: now + .milliseconds(59_999)) == read)
    #expect(throws: TokenError.expired) {
        try CustomerToken(text, verifiedWith: key.publicKey, at: now + .seconds(60))
    }
}

@Test func anotherKeyOrAChangedByteIsForged() throws {
    let text = try token()
    #expect(throws: TokenError.forged) {
        try CustomerToken(text, verifiedWith: Ed25519PrivateKey().publicKey, at: now)
    }
    let parts = text.split(separator: ".")
    let other = try token("mallory").split(separator: ".")
    #expect(throws: TokenError.forged) {
        try CustomerToken("\(parts[0]).\(other[1]).\(parts[2])", verifiedWith: key.publicKey, at: now)
    }
    // {"alg":"none","typ":"JWT"} and no signature: the classic forgery.
    #expect(throws: TokenError.forged) {
        try CustomerToken("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.\(parts[1]).", verifiedWith: key.publicKey, at: now)
    }
}

@Test(arguments: ["", ".", "..", "a.b", "a.b.c.d", "!!.!!.!!", String(repeating: "x", count: 5000)])
func nonsenseIsMalformed(text: String) {
    #expect(throws: TokenError.malformed) { try CustomerToken(text, verifiedWith: key.publicKey, at: now) }
}

/// Whatever is changed in a token, it is refused, or still names the same customer until the same time: the last
/// character of a base64 text has bits that mean nothing.
@Test(arguments: SeededGenerator.seeds(2)) func changedTokensOpenNoOtherDoor(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let text = Array(try token().utf8)
    let genuine = try CustomerToken(String(decoding: text, as: UTF8.self), verifiedWith: key.publicKey, at: now)
    for _ in 0..<2000 {
        var changed = text
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let index = Int.random(in: 0..<changed.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: changed[index] = UInt8.random(in: 0x20...0x7E, using: &random)
            case 1: changed.remove(at: index)
            default: changed.insert(changed.randomElement(using: &random) ?? 0, at: index)
            }
        }
        let read = try? CustomerToken(String(decoding: changed, as: UTF8.self), verifiedWith: key.publicKey, at: now)
        #expect(read == nil || read == genuine, "\(String(decoding: changed, as: UTF8.self))")
    }
}

/// What our own key has signed, and is no claim of ours, is malformed and nothing worse.
@Test(arguments: SeededGenerator.seeds(2)) func signedNonsenseIsMalformed(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let claims = #"{"exp":1800000060,"sub":"alice"}"#
    func url(_ bytes: [UInt8]) -> String {
        String(decoding: Base64.encode(bytes), as: UTF8.self).replacing("+", with: "-").replacing("/", with: "_")
    }
    for _ in 0..<1000 {
        var changed = Array(claims.utf8)
        changed.removeSubrange(Int.random(in: 0..<changed.count, using: &random)...)
        changed += random.anyBytes(count: Int.random(in: 0..<8, using: &random)).filter { $0 != UInt8(ascii: "}") }
        let text = "\(url(Array(#"{"alg":"EdDSA","typ":"JWT"}"#.utf8))).\(url(changed))"
        let signature = url(key.sign(Array(text.utf8)))
        #expect(throws: TokenError.malformed) {
            try CustomerToken("\(text).\(signature)", verifiedWith: key.publicKey, at: now)
        }
    }
}

@Test func aCustomerGetsTheirRateAndNobodyElses() {
    let limit = RateLimit(perSecond: 10, burst: 3)
    let start = ContinuousClock.now
    #expect((0..<3).allSatisfy { _ in limit.take("a", at: start) == nil })
    #expect(limit.take("a", at: start) == .milliseconds(100))
    #expect(limit.take("b", at: start) == nil)
    #expect(limit.take("a", at: start + .milliseconds(100)) == nil)
    #expect(limit.take("a", at: start + .milliseconds(199)) != nil)
    #expect(limit.take("a", at: start + .seconds(5000)) == nil)
}

@Test func theRateLimitForgetsThoseWhoRest() {
    let limit = RateLimit(perSecond: 10, burst: 2, customerLimit: 3)
    let start = ContinuousClock.now
    for customer in ["a", "b", "c"] { #expect(limit.take(customer, at: start) == nil) }
    #expect(limit.take("d", at: start) != nil)
    #expect(limit.take("d", at: start + .seconds(1)) == nil)
}
