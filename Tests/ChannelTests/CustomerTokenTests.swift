import Cryptography
import Domain
import RPCCore
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
