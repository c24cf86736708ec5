/// Why a command did not give its result, and whether it may have been applied all the same.
public struct RedisError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// The server answered with an error; `code` is its first word, for instance `WRONGTYPE` or `NOGROUP`.
        case server(code: String)
        /// No connection could be made.
        case unavailable
        /// The connection ended while the answer was awaited.
        case connectionLost
        /// `Deadline.current` or the client's own limit passed.
        case deadlineExceeded
        /// The task was cancelled.
        case cancelled
        /// As many commands, bytes or dedicated connections as allowed are under way already.
        case queueFull
        /// A command that cannot be sent: empty, or larger than the limit.
        case invalidCommand
        /// The server's bytes are no Redis protocol, or an answer exceeds the limit.
        case protocolViolation
        /// The answer has another type than the caller's command promises.
        case unexpectedReply
        /// The client was shut down, or the dedicated connection used after its scope.
        case closed
    }

    /// What is known about the effect of the failed command.
    public enum Certainty: Hashable, Sendable {
        /// The server has not applied it.
        case notApplied
        /// The server may have applied it, or may yet.
        case unknown
        /// It was applied; only its answer was not what the caller asked for.
        case applied
    }

    public let reason: Reason
    public let certainty: Certainty
    public let message: String

    public init(_ reason: Reason, _ message: String, certainty: Certainty = .notApplied) {
        self.reason = reason
        self.message = message
        self.certainty = certainty
    }

    /// The error that the text of an error reply describes: `CODE and its explanation`.
    init(serverText text: String, certainty: Certainty = .notApplied) {
        let code = text.prefix { $0 != " " }
        self.init(.server(code: String(code)), text, certainty: certainty)
    }

    /// The first word of the server's error reply, if it was one.
    public var serverCode: String? {
        if case .server(let code) = reason { code } else { nil }
    }

    /// Whether the same command may succeed later without change. Repeat it blindly only if `certainty` is
    /// `notApplied`.
    public var mayRetry: Bool {
        switch reason {
        case .unavailable, .connectionLost, .deadlineExceeded, .queueFull: true
        case .server(let code): Self.passingCodes.contains(code)
        case .cancelled, .invalidCommand, .protocolViolation, .unexpectedReply, .closed: false
        }
    }

    /// Conditions of the server that pass: loading its file, a script that runs long, a replica without its master.
    private static let passingCodes: Set<String> = [
        "LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "MISCONF", "OOM", "NOREPLICAS", "READONLY",
    ]

    func with(certainty: Certainty) -> RedisError { RedisError(reason, message, certainty: certainty) }

    public var description: String {
        certainty == .notApplied ? "\(message) (\(reason))" : "\(message) (\(reason), \(certainty))"
    }
}
