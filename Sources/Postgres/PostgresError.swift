/// Why a statement or a transaction did not give its result, and whether it may have been applied all the same.
///
/// The message never holds parameter values: details, hints and contexts of the server are dropped, and what it quotes
/// in data exceptions is replaced.
public struct PostgresError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// The server answered with an error.
        case server(SQLState)
        /// Every connection is busy and the queue for one is full.
        case poolExhausted
        /// No connection could be made.
        case unavailable
        /// The connection ended while the answer was awaited.
        case connectionLost
        /// `Deadline.current` or the pool's own limit passed.
        case deadlineExceeded
        /// The task was cancelled.
        case cancelled
        /// COMMIT was answered by ROLLBACK, because a statement of the transaction had failed before.
        case transactionAborted
        /// A statement for at most one row returned several.
        case unexpectedRowCount
        /// A parameter or a statement that cannot be sent, for instance a NUL character in a text.
        case invalidParameter
        /// The connection information cannot be used.
        case invalidConfiguration
        /// The client was shut down, or the transaction or connection was used after its scope.
        case closed
    }

    /// What is known about the effect of the failed statement or transaction.
    public enum Certainty: Hashable, Sendable {
        /// Nothing of it remains in the database.
        case notApplied
        /// The server may have applied it: ask the database before repeating it.
        case unknown
        /// It was applied; only its answer was not what the caller asked for.
        case applied
    }

    public let reason: Reason
    public internal(set) var certainty: Certainty
    public let message: String
    /// Name of the constraint that refused, if one did.
    public let constraint: String?
    public let table: String?
    public let column: String?

    init(
        _ reason: Reason, _ message: String, certainty: Certainty = .notApplied, constraint: String? = nil,
        table: String? = nil, column: String? = nil
    ) {
        self.reason = reason
        self.certainty = certainty
        self.message = message
        self.constraint = constraint
        self.table = table
        self.column = column
    }

    public var sqlState: SQLState? {
        if case .server(let state) = reason { state } else { nil }
    }

    /// Whether the statement hit the unique constraint `name`, or any when `name` is nil.
    public func isUniqueViolation(of name: String? = nil) -> Bool {
        sqlState == .uniqueViolation && (name == nil || name == constraint)
    }

    /// Whether the same transaction may succeed at once: it lost a race against another one and left nothing behind.
    public var isLostRace: Bool {
        certainty == .notApplied && (sqlState == .serializationFailure || sqlState == .deadlockDetected)
    }

    /// Whether the same request may succeed later without change. Repeat it blindly only if `certainty` is
    /// `notApplied`.
    public var mayRetry: Bool {
        switch reason {
        case .poolExhausted, .unavailable, .connectionLost, .deadlineExceeded: true
        case .server(let state):
            isLostRace || ["08", "53", "57"].contains(state.classCode) || state == .lockNotAvailable
        case .cancelled, .transactionAborted, .unexpectedRowCount, .invalidParameter, .invalidConfiguration, .closed:
            false
        }
    }

    public var description: String {
        var text = "\(message) (\(reason)"
        if let constraint { text += ", constraint \(constraint)" }
        if certainty != .notApplied { text += ", \(certainty)" }
        return text + ")"
    }
}
