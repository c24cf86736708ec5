import Contracts
import Domain
import MockBroker
import Protobuf
import RPCCore
import Testing

/// Faults of HTTP/2 and TCP as rules and by hand: what the client sees, and that the broker knows what it did.
@Suite struct TransportFaultTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func rule(
        _ fault: BrokerTransportFault.Fault, at point: BrokerInjectionPoint = .unspecified,
        _ selector: BrokerSelector = BrokerSelector(operations: [.placeOrder], toAttempt: 1)
    ) -> BrokerRule {
        BrokerRule(
            ruleID: "fault", when: selector, at: point, action: .transport(BrokerTransportFault(fault: fault)))
    }

    private struct Row: Sendable {
        let fault: BrokerTransportFault.Fault
        let point: BrokerInjectionPoint
        let code: Status.Code?
        let commits: Bool
        var timeout: Duration = .seconds(10)
    }

    private static let rows: [Row] = [
        Row(fault: .resetStream(.init(code: 2)), point: .beforeRead, code: .internal, commits: false),
        Row(fault: .resetStream(.init(code: 8)), point: .afterCommitBeforeReply, code: .cancelled, commits: true),
        Row(fault: .resetStream(.init(code: 11)), point: .duringReply, code: .resourceExhausted, commits: true),
        Row(fault: .close(.init()), point: .afterCommitBeforeReply, code: .unavailable, commits: true),
        Row(fault: .resetConnection(.init()), point: .afterReadBeforeCommit, code: .unavailable, commits: false),
        Row(fault: .missingTrailers(.init()), point: .unspecified, code: .unknown, commits: true),
        Row(fault: .missingStatus(.init()), point: .unspecified, code: .unknown, commits: true),
        Row(
            fault: .headersOnly(.init()), point: .unspecified, code: .deadlineExceeded, commits: true,
            timeout: .seconds(1)),
        Row(fault: .corruptMessage(.init()), point: .unspecified, code: .unknown, commits: true),
        Row(
            fault: .httpAnswer(.init(status: 503, body: "<h1>busy</h1>")), point: .unspecified, code: .unavailable,
            commits: false),
        Row(
            fault: .slowBytes(.init(bytes: 64, interval: .init(nanos: 1_000_000))), point: .unspecified, code: nil,
            commits: true),
        Row(fault: .frameTooLarge(.init()), point: .unspecified, code: .unavailable, commits: true),
        Row(
            fault: .blackHole(.init()), point: .afterCommitBeforeReply, code: .deadlineExceeded, commits: true,
            timeout: .seconds(1)),
    ]

    @Test(.timeLimit(.minutes(1)), arguments: rows.indices)
    func whatTheClientSees(index: Int) async throws {
        let row = Self.rows[index]
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([rule(row.fault, at: row.point)])
            let request = try BrokerFixture.request("1")
            let failed = await status {
                try await fixture.broker.placeOrder(request, options: CallOptions(timeout: row.timeout))
            }
            #expect(failed?.code == row.code, "\(failed?.message ?? "")")
            if row.code != nil { #expect(failed?.outcome == .unknown) }
            #expect(try await fixture.truth().orders.count == (row.commits ? 1 : 0))
            _ = try await fixture.control.releaseConnections(BrokerReleaseConnectionsRequest())
            // The second attempt is answered, and there is one order.
            let again = try await fixture.place("1")
            #expect(again.replayed == row.commits)
            #expect(try await fixture.truth().orders.count == 1)
        }
    }

    /// A GOAWAY that does not cover the call proves that it was not processed: the client makes it again by itself.
    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func goAway(covers: Bool) async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([
                rule(.goAway(BrokerGoAway(coversThisCall: covers)), at: .beforeRead)
            ])
            let placed = try await fixture.place("1")
            #expect(!placed.replayed)
            #expect(try await fixture.truth().placeAttempts == (covers ? 1 : 2))
            #expect(try await fixture.truth().orders.count == 1)
        }
    }

    @Test(.timeLimit(.minutes(1))) func streamsBreakAtAReport() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([
                rule(
                    .resetStream(BrokerResetStream(code: 2)), at: .beforeEvent,
                    BrokerSelector(execTypes: [.trade], toAttempt: 1))
            ])
            _ = try await fixture.place("1")
            let broken = await status { try await fixture.stream(2) }
            #expect(broken?.code == .internal)
            #expect(try await fixture.stream(2).map(\.sequence) == [1, 2])
        }
    }

    @Test(.timeLimit(.minutes(1))) func connectionsBreakByHand() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            _ = try await fixture.place("1")
            let ended = await status {
                try await fixture.broker.streamExecutions(BrokerStreamExecutionsRequest()) { events in
                    for try await event in events {
                        guard case .report(let report) = event.event, report.sequence == 2 else { continue }
                        let broken = try await fixture.control.breakConnections(
                            BrokerBreakConnectionsRequest(
                                fault: BrokerTransportFault(fault: .resetConnection(.init())), onlyStreams: true))
                        #expect(broken.count >= 1)
                    }
                }
            }
            #expect(ended?.code == .unavailable)
            #expect(try await fixture.place("1").replayed)
            // New connections, too, until they are released.
            _ = try await fixture.control.breakConnections(
                BrokerBreakConnectionsRequest(
                    fault: BrokerTransportFault(fault: .resetConnection(.init())), newOnesToo: true))
            let refused = await status { try await fixture.place("2") }
            #expect(refused?.code == .unavailable)
            _ = try await fixture.control.releaseConnections(BrokerReleaseConnectionsRequest())
            let request = try BrokerFixture.request("2")
            _ = try await fixture.broker.placeOrder(request, options: CallOptions(waitsForReady: true))
            let wrong = await status {
                try await fixture.control.breakConnections(
                    BrokerBreakConnectionsRequest(fault: BrokerTransportFault(fault: .headersOnly(.init()))))
            }
            #expect(wrong.flatMap { WireErrorDetail($0) }?.context["field"] == "fault")
        }
    }

    @Test(.timeLimit(.minutes(1))) func wrongBodies() async throws {
        func placed(_ wrong: BrokerWrongBody) async throws -> BrokerPlaceOrderResponse {
            let scratch = try Scratch()
            var response = BrokerPlaceOrderResponse()
            try await BrokerFixture.run(scratch) { fixture async throws in
                try await fixture.setRules([
                    BrokerRule(ruleID: "wrong", action: .rpc(BrokerRpcFault(fault: .wrongBody(wrong))))
                ])
                response = try await fixture.place("1")
                #expect(try await fixture.truth().orders.map(\.clientOrderID) == ["1"])
            }
            return response
        }
        #expect(try await placed(.empty) == BrokerPlaceOrderResponse())
        #expect(try await placed(.otherOrder).order?.clientOrderID == "another-order")
        #expect(try await placed(.unknownEnum).order?.ordStatus == .unrecognized(99))
        let known = try await placed(.unknownField)
        #expect(!known.unknownFields.isEmpty)
        #expect(known.order?.clientOrderID == "1")
    }
}
