import Contracts
import EventLoop
import TestSupport
import Testing

@testable import meridian

extension StackTests {
    struct TraceTests {
        /// One trace id follows an order through every service, from the door to the fill and the captured hold.
        @Test(.timeLimit(.minutes(2))) func anOrderIsFollowedThroughAllServicesByItsTraceID() async throws {
            let settings = [ServiceName.trading: ["MERIDIAN_METRICS_LISTEN": "127.0.0.1:0"]]
            try await TestStack.run(settings: settings) { stack in
                try await stack.setBroker(BrokerBehavior(seed: 1), [.duplicateFills(copies: 1)])
                let customer = try stack.customer("trace")
                try await stack.openAccounts(of: customer, won: 2_000_000, cents: 0)
                let order = try await customer.follow(try await customer.place(try customer.request("trace")))
                try #require(order.ordStatus == .filled)
                let books = try await stack.booksAtRest()
                for check in Auditor.check(books) { #expect(check.passed, "\(check.text)") }

                let logs = Logs(folder: stack.stack.folder)
                let answered = try logs.events(of: .channel).first { $0.facts["order_id"] == order.orderID }
                let trace = try #require(answered?.facts["trace"])
                // The money leaves as won, arrives as dollars, is held and is captured.
                let expected: [ServiceName: Set<String>] = [
                    .channel: ["order.answered"],
                    .trading: ["order.received", "order.attempt_sent", "order.fill"],
                    .fx: ["exchange.accepted", "exchange.completed"], .accountKRW: ["operation.applied"],
                    .accountFX: ["operation.applied", "hold.placed"],
                    .brokerGateway: ["attempt.sent", "attempt.ended"],
                    .mockBroker: ["order.accepted", "execution.reported"],
                    .fillReceiver: ["execution.stored", "execution.duplicate"],
                ]
                for service in Stack.services {
                    let events = try logs.events(of: service)
                    let traced = Set(events.filter { $0.facts["trace"] == trace }.map(\.name))
                    let missing = try #require(expected[service]).subtracting(traced)
                    #expect(missing.isEmpty, "\(service.rawValue): only \(traced.sorted()) carry the trace")
                    // No line that names the order goes without its trace. Brokers know it as their client's order.
                    for event in events
                    where [event.facts["order_id"], event.facts["client_order_id"]].contains(order.orderID) {
                        #expect(event.facts["trace"] == trace, "\(service.rawValue): \(event)")
                    }
                }

                let address = try #require(try await stack.stack.addresses(of: .trading).metrics)
                let arguments = ["-sS", "--max-time", "10", "http://\(address)/metrics"]
                let text = try await BlockingPool.shared.run { Result { try Program.run("curl", arguments) } }.get()
                    .text
                #expect(text.contains("# TYPE grpc_server_call_duration_seconds histogram"))
                #expect(text.contains("meridian.trading.v1.TradingService/PlaceOrder"))
            }
        }
    }
}
