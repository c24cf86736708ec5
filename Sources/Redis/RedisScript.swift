internal import Synchronization

/// A Lua script that the server keeps: sent once, called by its digest afterwards.
public final class RedisScript: Sendable {
    public let source: String
    /// Learned from the server at the first call; the same on every server.
    private let digest = Mutex<String?>(nil)

    public init(_ source: String) { self.source = source }

    /// Runs the script. An error that the script itself raised has `certainty == .unknown`: what it did before remains.
    public func run(
        keys: [String], arguments: [RedisArgument] = [], on client: RedisClient
    ) async throws(RedisError) -> RedisValue {
        try await run(keys: keys, arguments: arguments, on: client, lane: client.lane)
    }

    func run(
        keys: [String], arguments: [RedisArgument], on client: RedisClient, lane: RedisLane
    ) async throws(RedisError) -> RedisValue {
        let digest = try await knownDigest(client, lane)
        let operands = [RedisArgument(keys.count)] + keys.map { RedisArgument($0) } + arguments
        let answer = try await client.run([["EVALSHA", .text(digest)] + operands], on: lane)[0]
        guard answer.error?.serverCode == "NOSCRIPT" else { return try Self.checked(answer) }
        // The server was restarted and has forgotten it; EVAL also makes it known again.
        return try Self.checked(try await client.run([["EVAL", .text(source)] + operands], on: lane)[0])
    }

    private func knownDigest(_ client: RedisClient, _ lane: RedisLane) async throws(RedisError) -> String {
        if let known = digest.withLock(\.self) { return known }
        guard let learned = try await client.run([["SCRIPT", "LOAD", .text(source)]], on: lane)[0].get().text else {
            throw RedisError(.unexpectedReply, "SCRIPT LOAD gave no digest", certainty: .applied)
        }
        digest.withLock { $0 = learned }
        return learned
    }

    private static func checked(_ answer: RedisValue) throws(RedisError) -> RedisValue {
        guard let error = answer.error else { return answer }
        guard let code = error.serverCode, refusals.contains(code) else { throw error.with(certainty: .unknown) }
        throw error
    }

    /// Errors with which the server refuses to start a script.
    private static let refusals: Set<String> = [
        "NOSCRIPT", "LOADING", "BUSY", "NOAUTH", "NOPERM", "MASTERDOWN", "CROSSSLOT", "MOVED", "CLUSTERDOWN",
    ]
}
