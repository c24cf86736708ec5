import RPCCore
import Testing

private func deframe(_ pieces: [ArraySlice<UInt8>], limit: Int = 4 << 20) throws -> [FramedMessage] {
    var deframer = MessageDeframer(maximumMessageBytes: limit)
    var messages: [FramedMessage] = []
    for piece in pieces { try deframer.receive(Array(piece).span) { messages.append($0) } }
    try deframer.finish()
    return messages
}

private func framed(_ bodies: [[UInt8]]) -> [UInt8] {
    bodies.flatMap { MessagePrefix(length: $0.count).bytes + $0 }
}

@Test func goldenPrefix() {
    #expect(MessagePrefix(length: 0x0102_0304).bytes == [0, 1, 2, 3, 4])
    #expect(MessagePrefix(length: 5, isCompressed: true).bytes == [1, 0, 0, 0, 5])
}

@Test func messagesSurviveEveryCut() throws {
    let bodies: [[UInt8]] = [[1, 2, 3], [], Array("hello".utf8), [0, 0, 0, 0, 0, 0]]
    let bytes = framed(bodies)
    for first in 0...bytes.count {
        for second in first...bytes.count {
            let messages = try deframe([bytes[..<first], bytes[first..<second], bytes[second...]])
            #expect(messages.map(\.bytes) == bodies)
        }
    }
    #expect(try deframe(bytes.indices.map { bytes[$0...$0] }).map(\.bytes) == bodies)
}

@Test func aTruncatedStreamIsAnErrorAtEveryPosition() throws {
    let bytes = framed([[1, 2, 3]])
    for end in 1..<bytes.count {
        #expect(throws: FramingError.truncated) { try deframe([bytes[..<end]]) }
    }
}

@Test func theLimitIsCheckedFromThePrefixAlone() throws {
    #expect(throws: FramingError.messageTooLarge(length: 0xFFFF_FFFF, limit: 4 << 20)) {
        try deframe([[0, 0xFF, 0xFF, 0xFF, 0xFF]])
    }
    #expect(throws: FramingError.messageTooLarge(length: 4, limit: 3)) { try deframe([[0, 0, 0, 0, 4]], limit: 3) }
    #expect(try deframe([framed([[1, 2, 3]])[...]], limit: 3).count == 1)
}

@Test(arguments: 2...255) func otherFlagsAreRefused(_ flag: Int) {
    #expect(throws: FramingError.invalidFlag(UInt8(flag))) { try deframe([[UInt8(flag)]]) }
}

@Test func randomBytesNeverTrap() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
        let bytes = (0..<Int.random(in: 0..<64)).map { _ in UInt8.random(in: 0...3, using: &random) }
        _ = try? deframe([bytes[...]], limit: 1 << 16)
    }
}
