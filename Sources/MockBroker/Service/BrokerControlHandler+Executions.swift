internal import Contracts
internal import Domain
internal import Logging
internal import Protobuf
internal import RPCCore
internal import ServiceKit

// What happens to trades after the fact.
extension BrokerControlHandler {
    func bustExecution(
        _ request: BrokerBustExecutionRequest, context: ServerContext
    ) async throws -> BrokerBustExecutionResponse {
        let id: BrokerExecutionID = try .reading(request.execID, "exec_id", "EXEC_ID_INVALID")
        let text = try Self.text(request.text)
        let venue = core.venue
        let report = try await amend("BustExecution", request, in: request.namespace) {
            book, now throws(BrokerRefusal) in
            try book.bust(id, text: text, at: now, venue)
        }
        environment.log.info("execution.busted", metadata: ["exec_id": "\(id)"])
        return BrokerBustExecutionResponse(report: report)
    }

    func massBust(_ request: BrokerMassBustRequest, context: ServerContext) async throws -> BrokerMassBustResponse {
        let start = try Self.time(request.from, "from")
        let end = try Self.time(request.to, "to")
        if let start, let end, start >= end {
            throw BrokerRefusal.invalidField(path: "to", reason: "WINDOW_INVALID", problem: "must be after from")
        }
        let symbol: InstrumentID? =
            request.symbol.isEmpty ? nil : try .reading(request.symbol, "symbol", "SYMBOL_INVALID")
        let text = try Self.text(request.text)
        let body = request.encoded()
        let venue = core.venue
        let found = try await core.perform(in: space(request.namespace)) { book, now throws(BrokerRefusal) in
            let date = venue.calendar.tradeDate(at: now)
            let found = try book.liveExecutions(from: start, to: end, symbol)
            let busts = request.dryRun ? [] : found.map { BrokerRecord.busted($0, text: text, on: date, at: now) }
            return Decision(
                records: [.controlled(method: "MassBust", body: body, at: now)] + busts, answer: found)
        } then: { _, found in
            found
        }
        environment.log.info("executions.busted", metadata: ["count": "\(request.dryRun ? 0 : found.count)"])
        return BrokerMassBustResponse(count: Int32(clamping: found.count), execIDs: found.prefix(1000).map(\.text))
    }

    func correctExecution(
        _ request: BrokerCorrectExecutionRequest, context: ServerContext
    ) async throws -> BrokerCorrectExecutionResponse {
        let id: BrokerExecutionID = try .reading(request.execID, "exec_id", "EXEC_ID_INVALID")
        let quantity = try request.qty.map { try Quantity($0, field: "qty") }
        let price = try request.price.map { try Price($0, field: "price") }
        let text = try Self.text(request.text)
        let venue = core.venue
        let report = try await amend("CorrectExecution", request, in: request.namespace) {
            book, now throws(BrokerRefusal) in
            try book.correct(id, quantity: quantity, price: price, text: text, at: now, venue)
        }
        environment.log.info("execution.corrected", metadata: ["exec_id": "\(id)"])
        return BrokerCorrectExecutionResponse(report: report)
    }

    /// Notes the call, applies its one record, and gives the report that it made.
    private func amend(
        _ method: String, _ request: some Message, in namespace: String,
        _ decide: (borrowing BrokerBook, UnixTime) throws(BrokerRefusal) -> BrokerRecord
    ) async throws -> BrokerSequencedReport {
        let body = request.encoded()
        return try await core.perform(in: space(namespace)) { book, now throws(BrokerRefusal) in
            let record = try decide(book, now)
            return Decision(records: [.controlled(method: method, body: body, at: now), record], answer: ())
        } then: { book, _ in
            book.report(book.feed.count)
        }
    }

    private static func text(_ text: String) throws(BrokerRefusal) -> String {
        do { return try SettingReader.text(text, upTo: 256, "text") } catch { throw .invalidSetting(error) }
    }

    private static func time(_ wire: Google_Protobuf_Timestamp?, _ path: String) throws(BrokerRefusal) -> UnixTime? {
        do { return try SettingReader.time(wire, path) } catch { throw .invalidSetting(error) }
    }
}
