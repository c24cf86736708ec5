/// Why a bus did not take events.
public enum EventBusError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The event can never be published; nothing of the call was.
    case invalid(id: String, reason: String)
    /// As many events wait as the bus may keep; nothing of the call was published.
    case full(topic: String)

    public var description: String {
        switch self {
        case .invalid(let id, let reason): "event \(id) cannot be published: \(reason)"
        case .full(let topic): "topic \(topic) is full"
        }
    }
}

extension EventEnvelope {
    /// Checks what every bus demands: an id of 1 to 200 characters, and a topic of 1 to 100 characters from letters,
    /// digits, `.`, `_` and `-`.
    package func validate() throws(EventBusError) {
        guard (1...200).contains(id.count) else {
            throw .invalid(id: String(id.prefix(200)), reason: "an id has 1 to 200 characters")
        }
        let isName = topic.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isName, (1...100).contains(topic.utf8.count) else {
            throw .invalid(id: id, reason: "a topic is a name of 1 to 100 characters")
        }
    }

    /// The part of its topic, 0 ..< `count`, in which the event keeps its place: the same for all events of a key.
    /// FNV-1a over the key, so that every process and version agrees.
    package func partition(of count: Int) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return Int(hash % UInt64(count))
    }
}
