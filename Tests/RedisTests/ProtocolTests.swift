import Redis
import TestSupport
import Testing

private func read(_ bytes: [UInt8], cutAt cuts: [Int] = [], limit: Int = 1 << 20) throws -> [RedisValue] {
    let reader = ReplyReader(limitBytes: limit)
    var values: [RedisValue] = []
    var start = 0
    for end in cuts + [bytes.count] {
        try unsafe bytes[start..<end].withUnsafeBytes { try unsafe reader.feed($0) }
        start = end
        while let value = try reader.next() { values.append(value) }
    }
    return values
}

/// From the protocol's specification, "RESP protocol description".
private let golden: [(String, RedisValue)] = [
    ("+OK\r\n", .status("OK")),
    ("-ERR unknown command\r\n", .error(RedisError(.server(code: "ERR"), "ERR unknown command"))),
    (":1000\r\n", .integer(1000)),
    (":-9223372036854775808\r\n", .integer(.min)),
    ("$6\r\nfoobar\r\n", .bytes(Array("foobar".utf8))),
    ("$2\r\n\0\n\r\n", .bytes([0, 10])),
    ("$0\r\n\r\n", .bytes([])),
    ("$-1\r\n", .null),
    ("*-1\r\n", .null),
    ("*0\r\n", .array([])),
    ("*3\r\n:1\r\n$-1\r\n*1\r\n+a\r\n", .array([.integer(1), .null, .array([.status("a")])])),
]

@Test func repliesAreGoldenWhereverTheyAreCut() throws {
    let bytes = golden.flatMap { Array($0.0.utf8) }
    let values = golden.map(\.1)
    #expect(try read(bytes) == values)
    for cut in 0...bytes.count { #expect(try read(bytes, cutAt: [cut]) == values) }
    #expect(try read(bytes, cutAt: Array(0..<bytes.count)) == values)
}

@Test(arguments: ["HTTP/1.1 400\r\n", "$-7\r\n", "*1\r\n!x\r\n", ":x\r\n"])
func otherBytesAreAViolation(_ text: String) {
    let error = #expect(throws: RedisError.self) { try read(Array(text.utf8)) }
    #expect(error?.reason == .protocolViolation)
}

@Test func deepNestingAndSizeAreLimited() throws {
    #expect(try read(Array((String(repeating: "*1\r\n", count: 7) + ":1\r\n").utf8)).count == 1)
    for count in [9, 10_000] {
        #expect(throws: RedisError.self) { try read(Array(String(repeating: "*1\r\n", count: count).utf8)) }
    }
    #expect(throws: RedisError.self) {
        try read(Array("$4294967296999\r\n".utf8) + .init(repeating: 0, count: 90), cutAt: [30, 60], limit: 20)
    }
    // Small replies never add up to a large one.
    let many = Array(String(repeating: ":1\r\n", count: 100).utf8)
    #expect(try read(many, cutAt: Array(stride(from: 0, to: many.count, by: 7)), limit: 20).count == 100)
}

@Test(arguments: SeededGenerator.seeds(50))
func randomBytesNeverTrap(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let alphabet = Array("*$:+-0123456789\r\n\r\n\0x".utf8)
    for _ in 0..<200 {
        let bytes = (0..<Int(random.next() % 40)).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
        // Values or an error; a huge announced array must not be allocated before its elements come.
        _ = try? read(bytes, cutAt: bytes.isEmpty ? [] : [Int(random.next() % UInt64(bytes.count))])
    }
}

@Test func commandsAreEncodedAsBulkStrings() {
    var bytes: [UInt8] = []
    bytes.appendCommand(["SET", "ключ", .bytes([0, 13, 10]), -5])
    #expect(bytes == Array("*4\r\n$3\r\nSET\r\n$8\r\nключ\r\n$3\r\n\0\r\n\r\n$2\r\n-5\r\n".utf8))
}
