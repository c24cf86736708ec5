internal import EventBus
internal import Redis

/// One entry of a stream as the server returned it.
struct StreamEntry: Sendable, Hashable {
    /// `milliseconds-sequence`, given by the server.
    let id: String
    let fields: [String: [UInt8]]

    /// Nil for anything that is no entry; an entry deleted while it was pending has no fields.
    init?(_ value: RedisValue) {
        guard let parts = value.elements, parts.count == 2, let id = parts[0].text else { return nil }
        let items = parts[1].elements ?? []
        guard items.count.isMultiple(of: 2) else { return nil }
        var fields: [String: [UInt8]] = [:]
        for index in stride(from: 0, to: items.count, by: 2) {
            guard let name = items[index].text, let bytes = items[index + 1].bytes else { return nil }
            fields[name] = bytes
        }
        self.id = id
        self.fields = fields
    }

    func text(_ name: String) -> String? {
        fields[name].flatMap { String(validating: $0, as: UTF8.self) }
    }
}

extension EventEnvelope {
    /// The fields of a stream entry, names and values in turn. The topic is in the stream's name.
    var streamFields: [RedisArgument] {
        var fields: [RedisArgument] = [
            "id", .text(id), "key", .text(key), "payload", .bytes(payload), "at", .integer(occurredAt),
        ]
        if !headers.isEmpty { fields += ["headers", .bytes(Netstrings.encode(headers))] }
        return fields
    }

    /// The event in a stream's entry; nil when a field is missing or malformed.
    init?(_ entry: StreamEntry, topic: String) {
        guard let id = entry.text("id"), let key = entry.text("key"), let payload = entry.fields["payload"],
            let instant = entry.text("at").flatMap({ Int64($0) }),
            let headers = Netstrings.decode(entry.fields["headers"] ?? [])
        else { return nil }
        self.init(id: id, topic: topic, key: key, payload: payload, headers: headers, occurredAt: instant)
    }
}
