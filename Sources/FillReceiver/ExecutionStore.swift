internal import Contracts
internal import Cryptography
internal import Domain
internal import EventBus
internal import Limits
internal import Logging
internal import Postgres
internal import Protobuf
internal import ServiceKit

/// The durable side of one broker's feed.
struct ExecutionStore: Sendable {
    let brokerID: String
    let configuration: FillReceiverConfiguration
    let environment: ServiceEnvironment
    let postgres: PostgresClient

    static let topic = "executions"

    func open() async throws -> StorePlan.Feed {
        guard let feed = try await postgres.queryOne(OpenFeed(brokerID: brokerID)) else {
            preconditionFailure("opening a feed returns its row")
        }
        return feed
    }

    /// Stores what is new, counts what is not, and writes the outbox rows, in one transaction. Two round trips.
    func store(_ deliveries: [BrokerSequencedReport]) async throws -> StorePlan {
        let plan = try await Deadline.within(configuration.storeTimeout) {
            try await postgres.withTransaction { transaction in
                let execIDs = Array(Set(deliveries.compactMap { $0.report?.execID }))
                guard let feed = try await transaction.queryOne(LockFeed(brokerID: brokerID)) else {
                    preconditionFailure("the feed was opened before")
                }
                let rows = try await transaction.query(KnownExecutions(brokerID: brokerID, execIDs: execIDs))
                let known = Dictionary(uniqueKeysWithValues: rows.map { ($0.execID, $0.report) })
                let plan = StorePlan(feed: feed, known: known, deliveries: deliveries)
                try await write(plan, in: transaction)
                return plan
            }
        }
        report(plan)
        return plan
    }

    /// Puts executions that nobody has applied for a while on their way again: the bus may have lost them.
    /// - Returns: how many, and up to where executions have been applied.
    func publishUnapplied() async throws -> (count: Int, applied: Int64) {
        try await Deadline.within(configuration.storeTimeout) {
            try await postgres.withTransaction { transaction in
                guard let feed = try await transaction.queryOne(LockFeed(brokerID: brokerID)) else { return (0, 0) }
                let rows = try await transaction.query(
                    UnappliedExecutions(brokerID: brokerID, patience: configuration.applyPatience))
                guard !rows.isEmpty else { return (0, feed.appliedReceiverSequence) }
                let events = try rows.map {
                    event(
                        try BrokerExecutionReport(decoding: $0.report), receiverSequence: $0.receiverSequence,
                        traceparent: $0.traceparent ?? "")
                }
                _ = try await transaction.execute(AppendToOutbox(events))
                return (rows.count, feed.appliedReceiverSequence)
            }
        }
    }

    private func write(_ plan: StorePlan, in transaction: some StatementExecutor) async throws {
        if !plan.new.isEmpty {
            _ = try await transaction.execute(InsertExecutions(brokerID: brokerID, executions: plan.new))
            let events = try plan.new.map {
                event(
                    try BrokerExecutionReport(decoding: $0.report), receiverSequence: $0.receiverSequence,
                    traceparent: $0.traceparent)
            }
            _ = try await transaction.execute(AppendToOutbox(events))
        }
        if !plan.repeats.isEmpty {
            _ = try await transaction.execute(
                CountDuplicates(brokerID: brokerID, repeats: plan.repeats.sorted { $0.key < $1.key }.map { ($0, $1) }))
        }
        if !plan.conflicts.isEmpty {
            _ = try await transaction.execute(
                InsertConflicts(
                    brokerID: brokerID, conflicts: plan.conflicts.map { ($0, SHA256.digest($0.report)) }))
        }
        _ = try await transaction.execute(AdvanceFeed(brokerID: brokerID, feed: plan.feed))
    }

    private func event(
        _ report: BrokerExecutionReport, receiverSequence: Int64, traceparent: String
    ) -> EventEnvelope {
        let payload = EventExecutionStored(brokerID: brokerID, receiverSequence: receiverSequence, report: report)
        var headers: [String: String] = [:]
        if !traceparent.isEmpty { headers["traceparent"] = traceparent }
        return EventEnvelope(
            id: "\(brokerID)/\(report.execID)", topic: Self.topic, key: report.clientOrderID,
            payload: payload.encoded(), headers: headers, occurredAt: environment.now().nanoseconds / 1000)
    }

    private func report(_ plan: StorePlan) {
        for execution in plan.new {
            TraceContext.$current.withValue(TraceContext(traceparent: execution.traceparent)) {
                environment.log.info(
                    "execution.stored",
                    metadata: [
                        "broker_id": "\(brokerID)", "exec_id": "\(execution.execID)",
                        "order_id": "\(execution.clientOrderID)",
                        "receiver_sequence": .stringConvertible(execution.receiverSequence),
                    ])
            }
        }
        for (execID, repeats) in plan.repeats {
            let conflict = repeats.conflicts > 0
            TraceContext.$current.withValue(TraceContext(traceparent: repeats.traceparent)) {
                environment.log.log(
                    level: conflict ? .error : .info, conflict ? "execution.conflicting" : "execution.duplicate",
                    metadata: [
                        "broker_id": "\(brokerID)", "exec_id": "\(execID)",
                        "copies": .stringConvertible(repeats.duplicates + repeats.conflicts),
                    ])
            }
        }
        for sequence in plan.unreadable {
            environment.log.error(
                "execution.unreadable",
                metadata: ["broker_id": "\(brokerID)", "feed_sequence": .stringConvertible(sequence)])
        }
        count("stored", plan.new.count)
        count("unreadable", plan.unreadable.count)
        count("duplicate", plan.repeats.values.reduce(0) { $0 + Int($1.duplicates) })
        count("conflicting", plan.repeats.values.reduce(0) { $0 + Int($1.conflicts) })
    }

    private func count(_ outcome: String, _ number: Int) {
        guard number > 0 else { return }
        environment.metrics.counter(
            "meridian_executions_total", help: "Deliveries by broker and what became of them.",
            labels: ["broker": brokerID, "outcome": outcome]
        ).increment(by: number)
    }
}
