import EventLoop
import Limits
import RPC
import RPCCore
import Testing

@Test func aUnaryCallOverTCP() async throws {
    try await Fixture.run { fixture in
        let answers = [
            try await fixture.channel.unary(Methods.echo, "hello"), try await fixture.channel.unary(Methods.echo, ""),
        ]
        #expect(answers == ["hello", ""])
    }
}

@Test func aUnaryCallFromALoopStaysThere() async throws {
    try await Fixture.run { fixture in
        for loop in fixture.group.loops {
            let channel = fixture.channel
            let answer = try await loop.perform {
                let answer = try await channel.unary(Methods.echo, "hello")
                loop.preconditionOnLoop()
                return answer
            }
            #expect(answer == "hello")
        }
    }
}

@Test(arguments: 1...16) func aFailureArrivesWhole(_ code: Int) async throws {
    try await Fixture.run { fixture in
        let status = await #expect(throws: Status.self) {
            try await fixture.channel.unary(Methods.echo, "fail:\(code)")
        }
        #expect(status?.code.rawValue == code)
        #expect(status?.message == "failed as asked: 한 %")
        #expect(status?.details == [1, 2, 3])
        #expect(status?.metadata == ["x-reason": "asked"])
        #expect(status?.certainty == .answered)
    }
}
