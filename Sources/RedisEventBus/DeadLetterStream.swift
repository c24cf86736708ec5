internal import EventBus
internal import Redis

/// The stream `bus:{topic}:dead`: the event's own fields, and who gave it up, where, after how many attempts, and why.
struct DeadLetterStream: Sendable {
    private let client: RedisClient
    private let length: Int

    init(_ client: RedisClient, length: Int) {
        self.client = client
        self.length = length
    }

    func append(_ letter: DeadLetter) async throws(RedisError) {
        try await client.command(
            [
                "XADD", .text(TopicPartition.deadLetters(letter.event.topic)), "MAXLEN", "~", .integer(Int64(length)),
                "*",
            ]
                + letter.event.streamFields + [
                    "group", .text(letter.group), "consumer", .text(letter.consumer), "origin", .text(letter.origin),
                    "attempts", .integer(Int64(letter.attempts)), "reason", .text(letter.reason),
                ])
    }

    func list(_ topic: String, limit: Int) async throws(RedisError) -> [(id: String, letter: DeadLetter)] {
        let answer = try await client.command([
            "XRANGE", .text(TopicPartition.deadLetters(topic)), "-", "+", "COUNT", .integer(Int64(limit)),
        ])
        return (answer.elements ?? []).compactMap { value in
            StreamEntry(value).flatMap { entry in DeadLetter(entry, topic).map { (entry.id, $0) } }
        }
    }

    func find(_ id: String, of topic: String) async throws(RedisError) -> DeadLetter? {
        let answer = try await client.command([
            "XRANGE", .text(TopicPartition.deadLetters(topic)), .text(id), .text(id),
        ])
        return answer.elements?.first.flatMap { StreamEntry($0) }.flatMap { DeadLetter($0, topic) }
    }

    func remove(_ id: String, of topic: String) async throws(RedisError) {
        try await client.command(["XDEL", .text(TopicPartition.deadLetters(topic)), .text(id)])
    }
}

extension DeadLetter {
    fileprivate init?(_ entry: StreamEntry, _ topic: String) {
        guard let event = EventEnvelope(entry, topic: topic), let group = entry.text("group"),
            let consumer = entry.text("consumer"), let origin = entry.text("origin"),
            let attempts = entry.text("attempts").flatMap({ Int($0) }), let reason = entry.text("reason")
        else { return nil }
        self.init(
            event: event, group: group, consumer: consumer, origin: origin, attempts: attempts, reason: reason)
    }
}
