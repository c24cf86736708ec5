import RPC
import RPCCore
import Testing

@Test func serverStreaming() async throws {
    try await Fixture.run { fixture in
        let answers = try await fixture.channel.serverStreaming(Methods.countdown, "5") { responses in
            var answers: [String] = []
            for try await response in responses { answers.append(response) }
            return answers
        }
        #expect(answers == ["5", "4", "3", "2", "1"])
    }
}

@Test func clientStreaming() async throws {
    try await Fixture.run { fixture in
        let answer = try await fixture.channel.clientStreaming(Methods.join) { writer in
            for word in ["a", "b", "c"] { try await writer.write(word) }
        }
        #expect(answer == "a,b,c")
        let empty = try await fixture.channel.clientStreaming(Methods.join) { _ in }
        #expect(empty == "")
    }
}

@Test func aServerThatAnswersEarlyStopsTheWriter() async throws {
    try await Fixture.run { fixture in
        let answer = try await fixture.channel.clientStreaming(Methods.join) { writer in
            try await writer.write("stop")
            while true { try await writer.write(String(repeating: "x", count: 10_000)) }
        }
        #expect(answer == "stopped")
    }
}

@Test func bidirectional() async throws {
    try await Fixture.run { fixture in
        let answers = try await fixture.channel.bidirectional(Methods.chat) { writer, responses in
            var iterator = responses.makeAsyncIterator()
            var answers: [String?] = []
            for number in 1...3 {
                try await writer.write("\(number)")
                answers.append(try await iterator.next())
            }
            await writer.finish()
            answers.append(try await iterator.next())
            return answers
        }
        #expect(answers == ["re: 1", "re: 2", "re: 3", nil])
    }
}

@Test func messagesBeforeAFailureAreDelivered() async throws {
    try await Fixture.run { fixture in
        var answers: [String] = []
        let status = await #expect(throws: Status.self) {
            try await fixture.channel.bidirectional(Methods.chat) { writer, responses in
                for word in ["a", "b", "fail"] { try await writer.write(word) }
                for try await response in responses { answers.append(response) }
            }
        }
        #expect(answers == ["re: a", "re: b"])
        #expect(status?.code == .aborted)
    }
}

@Test func largeMessagesInBothDirections() async throws {
    try await Fixture.run { fixture in
        let large = String(repeating: "0123456789", count: 400_000)
        let answer = try await fixture.channel.unary(Methods.echo, large)
        #expect(answer == large)
    }
}
