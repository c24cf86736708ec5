import RPCCore
import Testing

@Test func metadataKeepsOrderAndRepetition() throws {
    var metadata: Metadata = ["x-a": "1", "x-b": "2"]
    try metadata.append("3", for: "x-a")
    try metadata.append([0, 255], for: "x-c-bin")
    #expect(metadata["x-a"] == "1")
    #expect(metadata.values(for: "x-a") == [.text("1"), .text("3")])
    #expect(metadata[bytes: "x-c-bin"] == [0, 255])
    #expect(metadata["x-c-bin"] == nil)
    #expect(metadata.map(\.key) == ["x-a", "x-b", "x-a", "x-c-bin"])
    metadata.removeAll("x-a")
    #expect(metadata.count == 2)
}

@Test(arguments: [
    ("", "v", MetadataError.invalidKey("")), ("X", "v", .invalidKey("X")), ("a b", "v", .invalidKey("a b")),
    (":path", "v", .invalidKey(":path")), ("te", "v", .reservedKey("te")),
    ("grpc-status", "0", .reservedKey("grpc-status")), ("x-bin", "v", .wrongKind(key: "x-bin")),
    ("x", "\r\n", .invalidText(key: "x")), ("x", "é", .invalidText(key: "x")),
])
func badPairsAreRefused(_ key: String, _ value: String, _ error: MetadataError) {
    var metadata = Metadata()
    #expect(throws: error) { try metadata.append(value, for: key) }
    #expect(metadata.isEmpty)
}

@Test func bytesNeedABinaryKey() {
    var metadata = Metadata()
    #expect(throws: MetadataError.wrongKind(key: "x")) { try metadata.append([1], for: "x") }
}

@Test func binaryValuesFromTheWireAreSplitAndDecoded() {
    var metadata = Metadata()
    metadata.appendFromWire(key: "k-bin", value: "Zm9v,YmE=".utf8)
    metadata.appendFromWire(key: "k-bin", value: "".utf8)
    #expect(metadata.values(for: "k-bin") == [.bytes(Array("foo".utf8)), .bytes(Array("ba".utf8)), .bytes([])])
    let tookBad = metadata.appendFromWire(key: "bad-bin", value: "!".utf8)
    let tookReserved = metadata.appendFromWire(key: "grpc-timeout", value: "1S".utf8)
    #expect(!tookBad && !tookReserved && metadata.count == 3)
}

/// However metadata is printed, also inside something else.
@Test func metadataIsPrintedWithoutSecrets() throws {
    struct Holder {
        let options: CallOptions
        let element: Metadata.Element?
    }
    var metadata: Metadata = [
        "authorization": "Bearer t0psecret", "cookie": "t0psecret", "set-cookie": "t0psecret",
        "proxy-authorization": "t0psecret", "x-api-key": "t0psecret", "x-a": "shown",
    ]
    try metadata.append(Array("t0psecret".utf8), for: "x-bin")
    #expect("\(metadata)".hasSuffix(", x-a: shown, x-bin: (9 bytes)]"))
    let holder = Holder(options: CallOptions(metadata: metadata), element: metadata.first)
    var dumped = ""
    dump(holder, to: &dumped)
    for text in ["\(holder)", String(reflecting: holder), dumped] {
        #expect(text.contains("authorization: (not shown)") && text.contains("x-a: shown"), "\(text)")
        #expect(!text.contains("t0psecret") && !text.contains("116"), "\(text)")
    }
}
