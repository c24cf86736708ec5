public import EventLoop

/// The servers that all tests of one process share, started when the first test asks. A test that stops or restarts
/// a server starts one of its own.
public enum PrivateServers {
    private static let sharedPostgres = Result { try PrivatePostgres() }

    private static let sharedRedis = Result { try PrivateRedis() }

    public static func redis() async throws -> PrivateRedis {
        try await BlockingPool.shared.run { sharedRedis }.get()
    }

    public static func postgres() async throws -> PrivatePostgres {
        try await BlockingPool.shared.run { sharedPostgres }.get()
    }
}

/// The event loops that tests share; they end with the process.
public enum TestLoops {
    public static let group: EventLoopGroup = {
        do {
            return try EventLoopGroup(name: "test", count: 2)
        } catch {
            preconditionFailure("no event loop: \(error)")
        }
    }()
}
