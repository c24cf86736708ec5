import Contracts
import Limits
import RPCCore
import Testing

@testable import meridian

extension StackTests {
    struct RestartTests {
        /// Trading is killed with an attempt on its way to the broker, and with an order whose exchange nobody answers.
        /// Its leases last for an hour: what goes on after the restart, goes on because the process is back.
        @Test(.timeLimit(.minutes(3))) func tradingGoesOnAtOnceWithWhatItHadWhenItWasKilled() async throws {
            let settings = [
                ServiceName.trading: ["MERIDIAN_LEASE_MS": "3600000", "MERIDIAN_SUBMIT_DEADLINE_MS": "60000"]
            ]
            try await TestStack.run(settings: settings) { stack in
                // The broker accepts and its reply is lost, and nobody reads its feed: only a look-up tells.
                await stack.stack.kill(.fillReceiver)
                try await stack.setBroker(
                    BrokerBehavior(seed: 1, fillMode: .manual), [.loseReplies(attempts: 1...1)])
                let customer = try stack.customer("restart")
                try await stack.openAccounts(of: customer, won: 2_000_000, cents: 100_000)
                let sent = try await customer.place(try customer.request("sent"))
                while try await stack.truth().placeAttempts == 0 { try await stack.pause() }

                let poor = try stack.customer("poor")
                try await stack.openAccounts(of: poor, won: 2_000_000, cents: 0)
                await stack.stack.kill(.fx)
                let request = try poor.request("received")
                let received = try await withThrowingTaskGroup(of: Void.self) { group in
                    // Its answer is lost with the service.
                    group.addTask { _ = try? await poor.door.placeOrder(request, options: poor.options) }
                    let order = try await stack.order("received", of: poor)
                    await stack.stack.kill(.trading)
                    try await group.waitForAll()
                    return order
                }

                for service in [ServiceName.fx, .trading] {
                    try await stack.stack.start(service)
                    try await stack.stack.waitUntilReady(service)
                }
                #expect(try await customer.follow(sent, until: [.new]).ordStatus == .new)
                #expect(try await poor.follow(received, until: [.new]).ordStatus == .new)
                #expect(try await stack.truth().orders.count == 2)
                for order in [(customer, sent), (poor, received)] {
                    try await order.0.cancel(order.1)
                }
            }
        }
    }
}

extension TestStack {
    /// What the broker really has.
    fileprivate func truth() async throws -> BrokerTruth {
        try await BrokerControlServiceClient(try channel(to: .mockBroker, control: true)).getTruth(
            BrokerGetTruthRequest())
    }

    /// An order by its customer's id, as soon as there is one.
    fileprivate func order(_ id: String, of customer: Customer) async throws -> ChannelOrder {
        while true {
            do {
                return try await customer.door.getOrder(
                    ChannelGetOrderRequest(id: .clientOrderID(id)), options: customer.options)
            } catch let status as Status where status.code == .notFound {
                try await pause()
            }
        }
    }
}
