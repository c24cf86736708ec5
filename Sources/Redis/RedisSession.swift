internal import EventLoop
internal import Limits

/// A connection of one's own, for commands that block (XREADGROUP BLOCK, BLPOP) or that set its state.
///
/// A deadline or a cancellation ends the connection, so that the server stops waiting, too. Valid inside
/// `RedisClient.withDedicatedConnection` only.
public final class RedisSession: Sendable {
    private let connection: RedisConnection
    private let limits: RedisLimits

    init(_ connection: RedisConnection, _ limits: RedisLimits) {
        self.connection = connection
        self.limits = limits
    }

    /// Runs one command; an error reply is thrown.
    ///
    /// - Parameter timeout: the longest wait for the answer, for a blocking command more than it may block; nil means
    ///   the client's command time-out. `Deadline.current` may shorten it.
    public func command(_ arguments: [RedisArgument], timeout: Duration? = nil) async throws(RedisError) -> RedisValue {
        try await pipeline([arguments], timeout: timeout)[0].get()
    }

    /// Runs commands in one write; error replies are among the results.
    public func pipeline(
        _ commands: [[RedisArgument]], timeout: Duration? = nil
    ) async throws(RedisError) -> [RedisValue] {
        try await connection.loop.perform { () async throws(RedisError) in
            try await run(commands, timeout ?? limits.commandTimeout)
        }
    }

    private func run(_ commands: [[RedisArgument]], _ timeout: Duration) async throws(RedisError) -> [RedisValue] {
        let encoded = try RedisLane.encode(commands, limits)
        guard !commands.isEmpty else { return [] }
        do throws(RedisError) {
            let deadline = RedisLane.deadline(timeout)
            return try await Exchange.run(count: commands.count, on: connection.loop, by: deadline) {
                exchange throws(RedisError) in
                guard !connection.isClosed else { throw RedisError(.connectionLost, "the connection has ended") }
                guard connection.pendingCommands + exchange.count <= limits.inFlightPerLoop else {
                    throw RedisError(.queueFull, "\(connection.pendingCommands) commands are under way")
                }
                connection.submit(exchange, encoded)
            }
        } catch {
            // Its answer may come at any time: what follows could not wait behind it.
            if error.certainty == .unknown { connection.close(error) }
            throw error
        }
    }

    func end() async {
        await connection.loop.perform { connection.close(RedisError(.closed, "the scope of the connection has ended")) }
    }
}
