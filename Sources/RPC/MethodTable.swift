internal import RPCCore

/// Methods by path, found from the bytes of `:path` without making a string.
struct MethodTable: Sendable {
    private struct Entry: Sendable {
        let path: [UInt8]
        let method: ServerMethod
    }

    private var buckets: [[Entry]]

    init(_ registry: ServiceRegistry) {
        // A power of two with few collisions.
        var count = 8
        while count < registry.methods.count * 2 { count *= 2 }
        buckets = Array(repeating: [], count: count)
        for (path, method) in registry.methods {
            let bytes = Array(path.utf8)
            buckets[Self.hash(bytes.span) & (count - 1)].append(Entry(path: bytes, method: method))
        }
    }

    func find(_ path: Span<UInt8>) -> ServerMethod? {
        for entry in buckets[Self.hash(path) & (buckets.count - 1)] where Self.equal(entry.path.span, path) {
            return entry.method
        }
        return nil
    }

    /// FNV-1a over the last 32 bytes, where paths differ.
    private static func hash(_ bytes: Span<UInt8>) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in max(0, bytes.count - 32)..<bytes.count { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash ^ hash >> 32)
    }

    private static func equal(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        for index in a.indices where a[index] != b[index] { return false }
        return true
    }
}
