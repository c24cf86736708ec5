import Contracts
import Domain
import Limits
import Logging
import Postgres
import Protobuf
import ServiceKit

/// Tries parked executions again: an order that was not known when its execution came may be known by now.
struct ParkedExecutions: Sendable {
    private static let batch = 64

    let ledger: Ledger

    /// Looks at intervals until cancelled, and raises what stays parked.
    func run() async {
        let configuration = ledger.configuration
        let environment = ledger.environment
        let gauge = environment.metrics.gauge(
            "meridian_trading_parked_executions", help: "Executions of orders that are not known.")
        while !Task.isCancelled {
            do {
                _ = try await retry()
                if let count = try await ledger.postgres.queryOne(ParkedCount()) {
                    gauge.set(Int(count.reports))
                    if let oldest = count.oldest, environment.now() - oldest > configuration.parkedAlertAfter {
                        environment.log.error(
                            "execution.parked_long",
                            metadata: ["count": "\(count.reports)", "oldest": "\(environment.now() - oldest)"])
                    }
                }
            } catch {
                guard !Task.isCancelled else { break }
                environment.log.warning("execution.retry_failed", metadata: ["error": "\(error)"])
            }
            // Ends early by cancellation only, which the loop looks at.
            try? await Task.sleep(for: configuration.parkedRetryInterval)
        }
    }

    /// Applies the parked executions whose orders are known. Returns how many were applied or refused for good.
    func retry() async throws -> Int {
        let waiting = try await ledger.postgres.query(ParkedWithOrder(limit: Self.batch))
        var settled = 0
        for parked in waiting where try await settle(parked) { settled += 1 }
        return settled
    }

    private func settle(_ parked: ParkedExecution) async throws -> Bool {
        guard let id = OrderID(rawValue: parked.clientOrder) else { return false }
        let report = try EventExecutionStored(decoding: parked.event).report
        let outcome = try await ledger.changing(
            [id], claim: nil,
            also: { (pipeline: inout Pipeline, outcome: (InboxRow.Outcome, String)?) in
                guard let outcome else { return }
                pipeline.execute(
                    SettleInbox(
                        broker: parked.broker, execution: parked.execution, outcome: outcome.0, detail: outcome.1))
            },
            { change, transaction -> (InboxRow.Outcome, String)? in
                // Deleting it is the claim: of two processes one finds the row, and the other waits and finds none.
                let statement = UnparkExecution(broker: parked.broker, execution: parked.execution)
                guard try await transaction.execute(statement) == 1, change.contains(id) else { return nil }
                guard let report, change[id].broker.text == parked.broker else {
                    change.alert("parked execution \(parked.execution) belongs to another broker", of: id)
                    return (.refused, "another broker")
                }
                do {
                    return try ExecutionIntake.applied(report, parked.receiverSequence, to: id, &change)
                } catch let error as UnusableReport {
                    change.alert("parked execution \(parked.execution) cannot be used: \(error)", of: id)
                    return (.refused, error.description)
                }
            })
        return outcome.flatMap(\.self) != nil
    }
}
