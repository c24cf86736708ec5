import Contracts
import Limits
import RPCCore
import Synchronization

/// A broker whose feed misbehaves as a test says: it loses reports on the stream, repeats them, falls silent, goes away.
final class ScriptedBroker: BrokerService {
    struct Faults {
        /// Every request fails, and open streams end.
        var isDown = false
        /// Sequences that no stream shows; the pull side lists them.
        var lostOnStream: Set<Int64> = []
        /// Sequences that nobody shows any more.
        var missing: Set<Int64> = []
        /// How often each report is sent.
        var copies = 1
        /// Streams say nothing at all.
        var isSilent = false
    }

    private struct State {
        var reports: [BrokerSequencedReport] = []
        var faults = Faults()
        var streams: [ObjectIdentifier: WakeUp] = [:]
        var streamCursors: [String] = []
        var listCursors: [String] = []
    }

    private let state = Mutex(State())

    // MARK: What the test does and sees

    /// Cursors from which streams were opened.
    var streamCursors: [String] { state.withLock { $0.streamCursors } }
    /// Cursors from which pages were asked for.
    var listCursors: [String] { state.withLock { $0.listCursors } }
    var openStreams: Int { state.withLock { $0.streams.count } }
    var reports: [BrokerSequencedReport] { state.withLock { $0.reports } }

    func setFaults(_ change: (inout Faults) -> Void) {
        wakeAll { change(&$0.faults) }
    }

    /// Appends a report of `order` to the feed.
    func fill(_ exec: String, order: String = "order-1", text: String = "") {
        append(BrokerExecutionReport(execID: exec, execType: .trade, clientOrderID: order, text: text))
    }

    func append(_ report: BrokerExecutionReport?) {
        wakeAll { state in
            let sequence = Int64(state.reports.count + 1)
            state.reports.append(BrokerSequencedReport(sequence: sequence, cursor: "c\(sequence)", report: report))
        }
    }

    private func wakeAll(_ change: (inout State) -> Void) {
        let streams = state.withLock { state in
            change(&state)
            return Array(state.streams.values)
        }
        for stream in streams { stream.wake() }
    }

    private static func sequence(of cursor: String) -> Int64 { Int64(cursor.dropFirst()) ?? 0 }

    // MARK: The service

    func listExecutions(
        _ request: BrokerListExecutionsRequest, context: ServerContext
    ) async throws -> BrokerListExecutionsResponse {
        try state.withLock { state in
            state.listCursors.append(request.cursor)
            if state.faults.isDown { throw Status(.unavailable, "down") }
            let after = Self.sequence(of: request.cursor)
            let rest = state.reports.filter { $0.sequence > after && !state.faults.missing.contains($0.sequence) }
            let page = Array(rest.prefix(Int(request.pageSize)))
            return BrokerListExecutionsResponse(
                reports: page, nextCursor: page.last?.cursor ?? request.cursor, complete: page.count == rest.count)
        }
    }

    func streamExecutions(
        _ request: BrokerStreamExecutionsRequest, responses: ResponseStream<BrokerExecutionEvent>,
        context: ServerContext
    ) async throws {
        let wakeUp = WakeUp()
        state.withLock { state in
            state.streamCursors.append(request.cursor)
            state.streams[ObjectIdentifier(wakeUp)] = wakeUp
        }
        defer { state.withLock { $0.streams[ObjectIdentifier(wakeUp)] = nil } }
        var position = Self.sequence(of: request.cursor)
        while true {
            try Task.checkCancellation()
            let (faults, reports) = state.withLock { ($0.faults, $0.reports) }
            if faults.isDown { throw Status(.unavailable, "down") }
            if !faults.isSilent {
                for report in reports where report.sequence > position {
                    position = report.sequence
                    if faults.lostOnStream.contains(position) || faults.missing.contains(position) { continue }
                    for _ in 0..<faults.copies {
                        try await responses.write(BrokerExecutionEvent(event: .report(report)))
                    }
                }
                let heartbeat = BrokerHeartbeat(
                    lastCursor: reports.last?.cursor ?? "", lastSequence: reports.last?.sequence ?? 0)
                try await responses.write(BrokerExecutionEvent(event: .heartbeat(heartbeat)))
            }
            await wakeUp.wait(atMost: .milliseconds(20))
        }
    }

    func placeOrder(
        _ request: BrokerPlaceOrderRequest, context: ServerContext
    ) async throws -> BrokerPlaceOrderResponse { throw Status(.unimplemented) }

    func cancelOrder(
        _ request: BrokerCancelOrderRequest, context: ServerContext
    ) async throws -> BrokerCancelOrderResponse { throw Status(.unimplemented) }

    func getOrder(_ request: BrokerGetOrderRequest, context: ServerContext) async throws -> BrokerOrder {
        throw Status(.unimplemented)
    }

    func getCapabilities(
        _ request: BrokerGetCapabilitiesRequest, context: ServerContext
    ) async throws -> Contracts.BrokerCapabilities { throw Status(.unimplemented) }
}
