import Contracts
import EventLoop
import Testing

@testable import meridian

extension StackTests {
    struct TraceTests {
        /// One trace id follows an order from the door to the fill and the captured hold.
        @Test(.timeLimit(.minutes(2))) func anOrderIsFollowedThroughAllServicesByItsTraceID() async throws {
            let settings = [ServiceName.trading: ["MERIDIAN_METRICS_LISTEN": "127.0.0.1:0"]]
            try await TestStack.run(settings: settings) { stack in
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
                let expected: [ServiceName: [String]] = [
                    .channel: ["order.answered"], .trading: ["order.received", "order.attempt_sent"],
                    .fx: ["exchange.accepted", "exchange.completed"], .accountKRW: ["operation.applied"],
                    .accountFX: ["operation.applied", "hold.placed"],
                    .brokerGateway: ["attempt.sent", "attempt.ended"],
                    .mockBroker: ["order.accepted"],
                ]
                for (service, names) in expected {
                    let traced = Set(try logs.events(of: service).filter { $0.facts["trace"] == trace }.map(\.name))
                    for name in names where !traced.contains(name) {
                        Issue.record("\(service.rawValue): \(name) does not carry the trace; \(traced.sorted()) do")
                    }
                }

                // A foreign broker's feed carries no trace of ours; there our order id joins what belongs together.
                let reported = try logs.events(of: .mockBroker).filter { $0.name == "execution.reported" }
                #expect(reported.contains { $0.facts["client_order_id"] == order.orderID })
                let stored = try logs.events(of: .fillReceiver).filter { $0.name == "execution.stored" }
                #expect(stored.contains { $0.facts["order_id"] == order.orderID })
                let applied = try logs.events(of: .trading).filter { $0.facts["ord_status"] == "FILLED" }
                #expect(!applied.isEmpty && applied.allSatisfy { $0.facts["trace"] == trace })

                let address = try #require(try logs.metricsAddress(of: .trading))
                let arguments = ["-sS", "--max-time", "10", "http://\(address)/metrics"]
                let metrics = try await BlockingPool.shared.run { Output(of: "/usr/bin/curl", arguments) }
                let text = try #require(metrics).text
                #expect(text.contains("# TYPE grpc_server_call_total counter"))
                #expect(text.contains("meridian.trading.v1.TradingService/PlaceOrder"))
            }
        }
    }
}
