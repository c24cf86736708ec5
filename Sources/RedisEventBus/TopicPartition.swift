/// The part of a topic that keeps the order of its keys: one stream.
///
/// Partitions are why a group's consumers can share a topic and a key's events still come in order: one consumer at a
/// time reads a partition. The hash tag keeps all keys of a topic in one slot of a cluster.
struct TopicPartition: Hashable, Sendable, Comparable {
    /// Part of the format: publishers and consumers of every version must agree.
    static let count = 8

    let topic: String
    let index: Int

    var stream: String { "bus:{\(topic)}:\(index)" }

    static func all(_ topic: String) -> [TopicPartition] {
        (0..<count).map { TopicPartition(topic: topic, index: $0) }
    }

    static func < (a: TopicPartition, b: TopicPartition) -> Bool { (a.topic, a.index) < (b.topic, b.index) }

    static func deadLetters(_ topic: String) -> String { "bus:{\(topic)}:dead" }
    static func members(_ topic: String, _ group: String) -> String { "bus:{\(topic)}:members:\(group)" }
    static func leases(_ topic: String, _ group: String) -> String { "bus:{\(topic)}:leases:\(group)" }
}
