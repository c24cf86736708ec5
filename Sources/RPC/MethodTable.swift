internal import RPCCore

/// One method as a server keeps it.
final class ServedMethod: Sendable {
    let method: ServerMethod
    let meter: (any ServerMethodMeter)?
    fileprivate let pathBytes: [UInt8]

    init(_ method: ServerMethod, _ meter: (any RPCMeter)?) {
        self.method = method
        self.meter = meter?.serverMethod(method.path)
        pathBytes = Array(method.path.utf8)
    }

    fileprivate func hasPath(_ path: Span<UInt8>) -> Bool { path.equals(pathBytes) }
}

/// Methods by path, found from the bytes of `:path` without making a string. Confined to one connection: it remembers
/// what was found last, since most clients ask for the same again.
struct MethodTable {
    /// What all connections share.
    final class Index: Sendable {
        fileprivate let buckets: [[ServedMethod]]
        /// Counts the calls of methods that are not there.
        let otherMeter: (any ServerMethodMeter)?

        init(_ registry: ServiceRegistry, _ meter: (any RPCMeter)?) {
            // A power of two with few collisions.
            var count = 8
            while count < registry.methods.count * 2 { count *= 2 }
            var buckets: [[ServedMethod]] = Array(repeating: [], count: count)
            for method in registry.methods.values {
                let served = ServedMethod(method, meter)
                let path = served.pathBytes
                let bucket = Self.hash(path.span) & (count - 1)
                buckets[bucket].append(served)
            }
            self.buckets = buckets
            otherMeter = meter?.serverMethod("other")
        }

        fileprivate func find(_ path: Span<UInt8>) -> ServedMethod? {
            for served in buckets[Self.hash(path) & (buckets.count - 1)] where served.hasPath(path) { return served }
            return nil
        }

        /// FNV-1a over the last 32 bytes, where paths differ.
        private static func hash(_ bytes: Span<UInt8>) -> Int {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for index in max(0, bytes.count - 32)..<bytes.count {
                hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3
            }
            return Int(truncatingIfNeeded: hash ^ hash >> 32)
        }
    }

    let index: Index
    private var last: ServedMethod?

    init(_ index: Index) { self.index = index }

    mutating func find(_ path: Span<UInt8>) -> ServedMethod? {
        if let last, last.hasPath(path) { return last }
        guard let found = index.find(path) else { return nil }
        last = found
        return found
    }
}
