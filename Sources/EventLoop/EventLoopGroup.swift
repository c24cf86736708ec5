internal import Synchronization

/// A fixed set of loops. Connections are handed out in turn, and a connection stays on its loop all its life.
public final class EventLoopGroup: Sendable {
    public let loops: [EventLoop]
    private let turn = Atomic<Int>(0)

    /// - Parameter count: at least 1; more loops than cores only steal time from the stores.
    public init(name: String, count: Int) throws(SystemError) {
        precondition(count >= 1, "a group has at least one loop")
        var loops: [EventLoop] = []
        for index in 0..<count { loops.append(try EventLoop(name: count == 1 ? name : "\(name)-\(index)")) }
        self.loops = loops
    }

    /// The loop of this thread if it belongs to the group, otherwise the next one in turn.
    public var next: EventLoop {
        if let current = EventLoop.current, loops.contains(where: { $0 === current }) { return current }
        return nextInTurn
    }

    public var nextInTurn: EventLoop {
        let (value, _) = turn.wrappingAdd(1, ordering: .relaxed)
        return loops[Int(UInt(bitPattern: value) % UInt(loops.count))]
    }

    /// See `EventLoop.shutDown()`.
    public func shutDown() {
        for loop in loops { loop.shutDown() }
    }
}
