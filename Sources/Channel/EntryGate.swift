internal import Contracts
internal import Limits
internal import Logging
internal import Postgres
internal import RPCCore
internal import ServiceKit
internal import Synchronization

/// Which products turn newcomers away, as the switches in the database say, read again every `interval`.
final class EntryGate: Sendable {
    private let postgres: PostgresClient
    private let environment: ServiceEnvironment
    private let interval: Duration
    private let closed = Mutex<[String: String]>([:])

    init(_ postgres: PostgresClient, environment: ServiceEnvironment, interval: Duration) {
        self.postgres = postgres
        self.environment = environment
        self.interval = interval
    }

    /// - Throws: `Refusal` PRODUCT_CLOSED with the message meant for customers.
    func check(_ product: String) throws(Refusal) {
        guard let message = closed.withLock({ $0[product] }) else { return }
        throw Refusal(
            .unavailable, "PRODUCT_CLOSED", message, retry: .sameIDAfter, context: ["product": product])
    }

    /// Keeps the view fresh until the task is cancelled. Without the database the last view stays.
    func run() async {
        while !Task.isCancelled {
            do {
                let rows = try await Deadline.within(.seconds(2)) { try await postgres.query(ClosedEntries()) }
                closed.withLock { $0 = Dictionary(uniqueKeysWithValues: rows) }
            } catch {
                if Task.isCancelled { return }
                environment.log.warning("entry.unread", metadata: ["error": "\(String(describing: error))"])
            }
            try? await Task.sleep(for: interval)  // Ends early by cancellation only.
        }
    }
}

private struct ClosedEntries: Statement {
    static let sql = String(decoding: PackageResources.closed_entries_sql, as: UTF8.self)
    var parameters: [Parameter] { [] }
    static func decode(_ row: borrowing RowView) throws -> (String, String) { (try row.string(0), try row.string(1)) }
}
