internal import Contracts
internal import Domain
internal import Glibc
internal import Logging
public import RPCCore
public import ServiceKit

/// The overseas broker for development and contract tests: its truth is one durable file, and it misbehaves exactly as
/// told.
///
/// Serve `rpcServices` on the port that clients use and `controlServices` on another, while `run` runs.
public final class MockBroker: Sendable {
    private let core: BrokerCore
    private let journal: JournalFile
    private let configuration: MockBrokerConfiguration
    private let environment: ServiceEnvironment
    private let connections = Connections()

    /// Opens the journal and rebuilds the book.
    ///
    /// - Throws: an error that says what is wrong with the journal or, with the field's path, with the configuration.
    public init(_ configuration: MockBrokerConfiguration, _ environment: ServiceEnvironment) throws {
        let rules = try configuration.validate()
        self.configuration = configuration
        self.environment = environment
        var namespaces = Namespaces(journalLimit: configuration.journalLimit)
        let journal = try JournalFile.open(path: configuration.journalPath) { record throws(InvalidRecord) in
            try namespaces.apply(record)
        }
        self.journal = journal
        core = BrokerCore(
            namespaces: namespaces,
            venue: BookRules(idLimit: configuration.idLimit, calendar: configuration.calendar),
            clock: configuration.clock,
            store: BrokerCore.Store { payload throws(JournalError) in
                try journal.append(payload: payload)
            } crash: { loss in
                // What cannot be taken back stays: the process ends in any case.
                try? journal.lose(loss)
                kill(getpid(), SIGKILL)
            })
        try core.closeOpenRequests()
        try core.configure(configuration.behavior, rules, configuration.prices, configuration.replayedPrices)
    }

    /// What clients of a broker call.
    public var rpcServices: [any RPCService] {
        [
            BrokerServiceHandler(
                core: core, configuration: configuration, connections: connections, environment: environment)
        ]
    }

    /// What a test calls.
    public var controlServices: [any RPCService] {
        [BrokerControlHandler(core: core, connections: connections, environment: environment)]
    }

    /// Names the server of `rpcServices`, so that the control service can break its connections, until `run` ends.
    public func attach(_ server: any BreakableServer) { connections.add(server) }

    /// Writes the journal and fills what falls due, until the task is cancelled: then no command is taken any more,
    /// everything that was decided is still written, and streams end. Without it no command is answered.
    ///
    /// - Throws: an error that says why the journal could not be written; the truth is what is on disk.
    public func run() async throws {
        defer { connections.removeAll() }
        let book = core.summary
        environment.log.info(
            "book.opened",
            metadata: [
                "orders": "\(book.orders)", "reports": "\(book.reports)", "cut_bytes": "\(journal.cutBytes)",
            ])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [core, environment] in await FeedLog(core: core, environment: environment).run() }
            try await core.run()
            group.cancelAll()
        }
    }
}
