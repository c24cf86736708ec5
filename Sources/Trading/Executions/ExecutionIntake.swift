import Contracts
import Domain
import Limits
import Logging
import Postgres
import ServiceKit

/// An execution as it came over the bus.
struct IncomingExecution: Sendable {
    let event: EventExecutionStored
    /// The encoded event, kept when the order is not known.
    let encoded: [UInt8]
    let traceparent: String

    var position: ReceiverPosition { ReceiverPosition(broker: event.brokerID, sequence: event.receiverSequence) }
}

/// Applies executions: the inbox row, every effect and the watermark commit together, so each takes effect once, however
/// often it is delivered.
struct ExecutionIntake: Sendable {
    /// Numbers that the watermark may move in one transaction.
    private static let watermarkReach = 10_000

    let ledger: Ledger

    /// What a batch came to.
    struct Result: Sendable {
        /// By broker: up to where everything has been taken over.
        var watermarks: [String: Int64] = [:]
        var applied = 0
        var duplicates = 0
        var parked = 0
        var refused = 0
    }

    /// Applies a batch in one transaction, or nothing of it.
    ///
    /// - Throws: `PostgresError`, or `InvalidTransition` and the like when a report cannot be booked together with the
    ///   rest; the caller then applies the messages one by one, and the culprit alone is put aside.
    func apply(_ batch: [IncomingExecution]) async throws -> Result {
        let distinct = Self.distinct(batch)
        let orders = Array(Set(distinct.compactMap { $0.event.report.flatMap { OrderID(rawValue: $0.clientOrderID) } }))
        let result = try await ledger.changing(
            orders.sorted(), claim: nil,
            also: { (pipeline: inout Pipeline, outcome: Outcome) in
                if !outcome.rows.isEmpty {
                    pipeline.execute(InsertInbox(rows: outcome.rows, consumedAt: outcome.at))
                }
                for parked in outcome.parked { pipeline.execute(ParkExecution(parked: parked)) }
                Self.advanceWatermarks(distinct, in: &pipeline)
            },
            { change, transaction in
                let fresh = try await Self.lockWatermarks(distinct, transaction)
                return try Self.workOut(fresh, duplicates: batch.count - fresh.count, &change)
            })
        guard let result else { preconditionFailure("a change without a claim cannot lose it") }
        return try await summary(result, brokers: Set(distinct.map(\.event.brokerID)))
    }

    /// Books one message that spoils its batch, or puts it aside with its reason, so that the rest can go on.
    func applyAlone(_ message: IncomingExecution) async throws -> Result {
        do {
            return try await apply([message])
        } catch let error as PostgresError where error.isUniqueViolation(of: "execution_applied_pkey") {
            return try await refuse(message, because: "its exec_id belongs to another order")
        } catch let error where !(error is PostgresError) && !(error is CancellationError) {
            return try await refuse(message, because: "\(error)")
        }
    }

    private func refuse(_ message: IncomingExecution, because reason: String) async throws -> Result {
        let report = message.event.report
        let order = report.flatMap { OrderID(rawValue: $0.clientOrderID) }
        let result = try await ledger.changing(
            order.map { [$0] } ?? [], claim: nil,
            also: { (pipeline: inout Pipeline, outcome: Outcome) in
                pipeline.execute(InsertInbox(rows: outcome.rows, consumedAt: outcome.at))
                Self.advanceWatermarks([message], in: &pipeline)
            },
            { change, transaction in
                _ = try await Self.lockWatermarks([message], transaction)
                var outcome = Outcome(at: change.at)
                outcome.add(message, .refused, reason)
                if let order, change.contains(order) {
                    change.alert("execution \(report?.execID ?? "?") cannot be booked: \(reason)", of: order)
                }
                return outcome
            })
        guard let result else { preconditionFailure("a change without a claim cannot lose it") }
        return try await summary(result, brokers: [message.event.brokerID])
    }

    // MARK: Inside the transaction

    /// What is written besides the ledger's change.
    private struct Outcome: Sendable {
        let at: UnixTime
        var rows: [InboxRow] = []
        var parked: [ParkedExecution] = []
        var duplicates = 0

        init(at: UnixTime) { self.at = at }

        mutating func add(_ message: IncomingExecution, _ outcome: InboxRow.Outcome, _ detail: String) {
            rows.append(
                InboxRow(
                    broker: message.event.brokerID, receiverSequence: message.event.receiverSequence,
                    execution: message.event.report?.execID ?? "",
                    clientOrder: message.event.report?.clientOrderID ?? "",
                    outcome: outcome, detail: detail))
        }
    }

    /// One transaction at a time consumes a broker's messages; what others have consumed is left out.
    private static func lockWatermarks(
        _ messages: [IncomingExecution], _ transaction: PostgresTransaction
    ) async throws -> [IncomingExecution] {
        let brokers = Set(messages.map(\.event.brokerID)).sorted()
        let fresh = try await transaction.pipeline { pipeline in
            for broker in brokers { pipeline.execute(LockWatermark(broker: broker)) }
            return pipeline.query(NewInboxRows(positions: messages.map(\.position)))
        }
        let positions = Set(try fresh.get())
        return messages.filter { positions.contains($0.position) }
    }

    private static func workOut(
        _ messages: [IncomingExecution], duplicates: Int, _ change: inout LedgerChange
    ) throws -> Outcome {
        var outcome = Outcome(at: change.at)
        outcome.duplicates = duplicates
        for message in messages {
            guard let report = message.event.report else {
                outcome.add(message, .refused, "no report")
                continue
            }
            guard let id = OrderID(rawValue: report.clientOrderID), change.contains(id),
                change[id].broker.text == message.event.brokerID
            else {
                outcome.add(message, .parked, "the order is not known")
                outcome.parked.append(parkedExecution(message, report, at: change.at))
                continue
            }
            try apply(message, report, to: id, &change, &outcome)
        }
        return outcome
    }

    static func parkedExecution(
        _ message: IncomingExecution, _ report: BrokerExecutionReport, at: UnixTime
    ) -> ParkedExecution {
        ParkedExecution(
            broker: message.event.brokerID, execution: report.execID,
            receiverSequence: message.event.receiverSequence, clientOrder: report.clientOrderID,
            event: message.encoded, traceparent: message.traceparent, parkedAt: at)
    }

    private static func apply(
        _ message: IncomingExecution, _ report: BrokerExecutionReport, to id: OrderID, _ change: inout LedgerChange,
        _ outcome: inout Outcome
    ) throws {
        do {
            let (result, detail) = try applied(report, message.event.receiverSequence, to: id, &change)
            outcome.add(message, result, detail)
        } catch let error as UnusableReport {
            change.alert("report \(report.execID) cannot be used: \(error)", of: id)
            outcome.add(message, .refused, error.description)
        }
    }

    /// Applies a report to its order, which was read under lock. Returns what became of it, and the story's line.
    static func applied(
        _ report: BrokerExecutionReport, _ sequence: Int64, to id: OrderID, _ change: inout LedgerChange
    ) throws -> (InboxRow.Outcome, String) {
        switch try ReportMeaning(report, for: change[id].terms) {
        case .booking(let execution):
            let detail = execution.story
            let isNew = try change.book(execution, of: id, receiverSequence: sequence, detail: detail)
            return (isNew ? .applied : .duplicate, detail)
        case .state(let event):
            if case .rejected = event, !report.text.isEmpty { change.update(id) { $0.reasonText = report.text } }
            let detail = "report \(report.execID)" + (report.text.isEmpty ? "" : ": \(report.text)")
            let isChanged = try change.apply(event, to: id, detail: detail, kind: "REPORTED_\(event.name)")
            return (.applied, isChanged ? detail : "\(detail) (nothing new)")
        }
    }

    // MARK: The watermark

    /// Part of the transaction, after the inbox rows.
    private static func advanceWatermarks(_ messages: [IncomingExecution], in pipeline: inout Pipeline) {
        for broker in Set(messages.map(\.event.brokerID)).sorted() {
            pipeline.execute(AdvanceWatermark(broker: broker, reach: watermarkReach))
        }
    }

    private func summary(_ outcome: Outcome, brokers: Set<String>) async throws -> Result {
        var result = Result()
        result.duplicates = outcome.duplicates
        for row in outcome.rows {
            switch row.outcome {
            case .applied: result.applied += 1
            case .parked: result.parked += 1
            case .refused: result.refused += 1
            case .duplicate: result.duplicates += 1
            }
        }
        for watermark in try await ledger.postgres.query(Watermarks(brokers: brokers.sorted())) {
            result.watermarks[watermark.broker] = watermark.sequence
        }
        return result
    }

    /// The first of each message, in the receiver's order.
    private static func distinct(_ batch: [IncomingExecution]) -> [IncomingExecution] {
        var seen: Set<ReceiverPosition> = []
        return batch.filter { seen.insert($0.position).inserted }
            .sorted { ($0.event.brokerID, $0.event.receiverSequence) < ($1.event.brokerID, $1.event.receiverSequence) }
    }
}

extension ReportedExecution {
    /// The report in words.
    var story: String {
        switch kind {
        case .trade: "\(execution): \(quantity) at \(price), fee \(fee)"
        case .bust: "\(execution): \(reference?.text ?? "?") is void"
        case .correction: "\(execution): \(reference?.text ?? "?") is now \(quantity) at \(price), fee \(fee)"
        }
    }
}
