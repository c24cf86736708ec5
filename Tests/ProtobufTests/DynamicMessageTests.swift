import Protobuf
import TestMessages
import Testing

@Suite struct DynamicMessageTests {
    @Test(arguments: Samples.all.indices)
    func everySampleComesBack(_ index: Int) throws {
        let bytes = Samples.all[index].encoded()
        let message = try DynamicMessage(decoding: bytes, as: type(of: Samples.all[index]).schema)
        #expect(message.encoded() == bytes)
    }

    @Test func fieldsAreReadAndSet() throws {
        var message = DynamicMessage(Choices.schema)
        let number = try #require(Choices.schema.field(named: "number"))
        let text = try #require(Choices.schema.field(named: "text"))
        message[number] = .int32(3)
        message[text] = .string("t")
        #expect(message["number"] == nil)
        #expect(try Choices(decoding: message.encoded()) == Choices(choice: .text("t")))
    }

    @Test func messagesAreMergedLikeGeneratedOnes() throws {
        let bytes =
            Node(child: Node(name: "a", children: [Node()])).encoded()
            + Node(child: Node(children: [Node(name: "b")])).encoded()
        let message = try DynamicMessage(decoding: bytes, as: Node.schema)
        #expect(try message.encoded() == Node(decoding: bytes).encoded())
    }

    @Test func aDefaultThatWasSentReplacesWhatCameBefore() throws {
        // child { name: "c" } child { name: "" }, the empty name being on the wire.
        let bytes: [UInt8] = [0x12, 3, 0x0A, 1, 0x63, 0x12, 2, 0x0A, 0]
        let message = try DynamicMessage(decoding: bytes, as: Node.schema)
        #expect(message.encoded() == Node(child: Node()).encoded())
        #expect(try Node(decoding: bytes) == Node(child: Node()))
    }

    @Test func unknownFieldsAreKept() throws {
        let bytes = Samples.scalars.encoded()
        let message = try DynamicMessage(decoding: bytes, as: Narrow.schema)
        #expect(try Scalars(decoding: message.encoded()) == Samples.scalars)
    }
}
