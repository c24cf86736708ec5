internal import CLibpq
internal import EventLoop

/// Commands that travel together and end with one synchronisation point; the unit that succeeds or fails.
///
/// State belongs to the thread of the connection's loop.
final class Batch: @unchecked Sendable {
    // @unchecked: see "State" above; other threads only carry the reference back to the loop.

    /// What the next result of the server answers.
    enum Expectation {
        case prepared(PreparedStatements.Key)
        /// A command of ours, such as BEGIN, whose result nobody reads.
        case control
        case command(Int)
        /// The commands of a script, answered by any number of results.
        case script
    }

    enum Content {
        case commands([Command], before: [String], after: [String])
        /// Several commands in one text, by the simple protocol.
        case script(String)
    }

    let content: Content
    /// Whether its success makes a change permanent, so that a lost answer leaves the outcome unknown.
    let commits: Bool
    private(set) var results: [QueryResult] = []
    private(set) var failure: PostgresError?
    private(set) var isFinished = false
    /// Whether anything of it may have reached the server.
    var wasSubmitted = false
    /// The tag of the last control command, to tell COMMIT from ROLLBACK.
    private(set) var lastControlTag = ""
    /// Statements that this batch was to prepare and that the server has not confirmed.
    private(set) var unconfirmed: [PreparedStatements.Key] = []

    var waiter: CheckedContinuation<Void, Never>?
    var timer: LoopTimer?

    private var expected: [Expectation] = []
    private var position = 0
    private var answered = false

    /// - Parameters:
    ///   - before: commands of ours in front, such as BEGIN.
    ///   - after: commands of ours at the end, such as COMMIT.
    init(_ commands: [Command], before: [String] = [], after: [String] = [], commits: Bool) {
        content = .commands(commands, before: before, after: after)
        self.commits = commits
    }

    init(script: String, commits: Bool) {
        content = .script(script)
        self.commits = commits
    }

    func expect(_ expectation: Expectation) {
        expected.append(expectation)
        if case .prepared(let key) = expectation { unconfirmed.append(key) }
    }

    /// Takes one result of the server, in order.
    func take(_ result: QueryResult) {
        answered = true
        switch result.status {
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE:
            guard failure == nil else { return }
            var error = PostgresError(result: result)
            // FATAL and PANIC end the session: then even a committing batch may have got through before.
            let endsSession = result.errorField("V").map { $0 != "ERROR" } ?? true
            if commits, endsSession || error.sqlState == .statementCompletionUnknown { error.certainty = .unknown }
            failure = error
        case PGRES_PIPELINE_ABORTED:
            break  // Skipped because of the failure that is already noted.
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            failure = failure ?? PostgresError(.invalidParameter, "COPY is not supported", certainty: .unknown)
        default:
            guard position < expected.count else { return }
            switch expected[position] {
            case .prepared(let key): unconfirmed.removeAll { $0 == key }
            case .control: lastControlTag = result.commandTag
            case .command: results.append(result)
            case .script: break
            }
        }
    }

    /// The end of one command's results. Returns false when there was none to end.
    func endCommand() -> Bool {
        guard answered else { return false }
        answered = false
        position += 1
        return true
    }

    var isFullyAnswered: Bool { position == expected.count && !answered }

    /// Ends the batch and wakes who waits for it; later calls change nothing.
    func finish(_ error: PostgresError? = nil) {
        guard !isFinished else { return }
        isFinished = true
        failure = failure ?? error
        waiter?.resume()
        waiter = nil
    }

    /// The results of the commands; throws when any of them failed.
    func get() throws(PostgresError) -> [QueryResult] {
        precondition(isFinished, "the batch has not been answered")
        if let failure { throw failure }
        return results
    }
}
