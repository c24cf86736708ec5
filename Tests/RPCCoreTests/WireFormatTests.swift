import RPCCore
import Testing

@Test(arguments: [
    ("", ""), ("plain text", "plain text"), ("50%", "50%25"), ("\u{e9}", "%C3%A9"), ("a\nb", "a%0Ab"),
    ("한국", "%ED%95%9C%EA%B5%AD"), ("~\u{7f}", "~%7F"),
])
func percentEncoding(_ text: String, _ encoded: String) {
    #expect(String(decoding: PercentEncoding.encode(text), as: UTF8.self) == encoded)
    #expect(PercentEncoding.decode(Array(encoded.utf8)) == text)
}

@Test(arguments: [("100%", "100%"), ("%zz", "%zz"), ("%4", "%4"), ("%c3%a9", "\u{e9}"), ("%FF", "\u{fffd}")])
func percentDecodingNeverFails(_ encoded: String, _ text: String) {
    #expect(PercentEncoding.decode(Array(encoded.utf8)) == text)
}

@Test(arguments: [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("foobar", "Zm9vYmFy")])
func base64(_ text: String, _ encoded: String) {
    #expect(String(decoding: Base64.encode(text.utf8), as: UTF8.self) == encoded)
    #expect(Base64.decode(encoded.utf8) == Array(text.utf8))
    let padded = encoded + String(repeating: "=", count: (4 - encoded.utf8.count % 4) % 4)
    #expect(Base64.decode(padded.utf8) == Array(text.utf8))
}

@Test(arguments: ["Z", "Zg=", "Zg===", "Zm9v=", "Zm9v====", "Z=g=", "Zm 9v", "Zm9-", "===="])
func base64Refuses(_ text: String) { #expect(Base64.decode(text.utf8) == nil) }

@Test func base64RoundTripsRandomBytes() {
    var random = SystemRandomNumberGenerator()
    for count in 0..<200 {
        let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }
}

@Test(arguments: [
    (Duration.nanoseconds(1), "1n"), (.nanoseconds(99_999_999), "99999999n"), (.nanoseconds(100_000_001), "100001u"),
    (.seconds(1), "1000000u"), (.seconds(100), "100000m"), (.seconds(99_999_999), "99999999S"),
    (.seconds(100_000_000), "1666667M"), (.zero, "1n"), (.seconds(-5), "1n"),
    (.seconds(Int64.max), "2562048H"),
])
func timeoutEncoding(_ duration: Duration, _ text: String) {
    #expect(String(decoding: TimeoutHeader.encode(duration), as: UTF8.self) == text)
}

@Test(arguments: [
    ("1n", 1 as Int64?), ("20m", 20_000_000), ("3S", 3_000_000_000), ("2M", 120_000_000_000),
    ("1H", 3_600_000_000_000), ("00000007u", 7_000), ("99999999H", .max), ("", nil),
    ("1", nil), ("S", nil), ("123456789S", nil), ("1s", nil), ("-1S", nil), ("1.5S", nil), (" 1S", nil),
])
func timeoutDecoding(_ text: String, _ nanoseconds: Int64?) {
    let decoded = TimeoutHeader.decode(Array(text.utf8).span)
    #expect(decoded == nanoseconds)
}

@Test func anEncodedTimeoutIsNeverShorter() throws {
    var nanoseconds: Int64 = 1
    while nanoseconds < 1 << 60 {
        let sent = TimeoutHeader.decode(TimeoutHeader.encode(.nanoseconds(nanoseconds)).span)
        #expect(try #require(sent) >= nanoseconds)
        nanoseconds = nanoseconds * 3 + 1
    }
}

@Test func httpAndResetCodesMap() {
    #expect(
        [400, 401, 403, 404, 429, 502, 503, 504, 500, 200].map(Status.Code.init(httpStatus:)) == [
            .internal, .unauthenticated, .permissionDenied, .unimplemented, .unavailable, .unavailable, .unavailable,
            .unavailable, .unknown, .unknown,
        ])
    #expect(
        [0, 7, 8, 0xb, 0xc, 0xd].map(Status.Code.init(http2ErrorCode:)) == [
            .internal, .unavailable, .cancelled, .resourceExhausted, .permissionDenied, .internal,
        ])
    #expect(Status.Code.allCases.map(\.rawValue) == Array(0...16))
}

@Test func errorsBecomeStatuses() {
    struct Private: Error {}
    #expect(Status(describing: Private()) == Status(.unknown, "internal error"))
    #expect(Status(declaredBy: Private()) == nil && Status(declaredBy: Status(.aborted)) == Status(.aborted))
    #expect(Status(describing: CancellationError()).code == .cancelled)
    #expect(Status(describing: FramingError.truncated).code == .internal)
    #expect(Status(describing: Status(.aborted, "x")) == Status(.aborted, "x"))
}
