import Contracts
import Domain
import Limits
import RPCTool
import Synchronization
import TestSupport
import Testing

@testable import meridian

/// What is killed, and started again.
private enum Victim: CustomStringConvertible {
    case service(ServiceName)
    case store(Stack.Store)

    static let all: [Victim] = Stack.services.map { .service($0) } + Stack.Store.allCases.map { .store($0) }

    var description: String {
        switch self {
        case .service(let service): service.rawValue
        case .store(let store): store.rawValue
        }
    }
}

extension StackTests {
    struct KillTests {
        private static let customers = 10
        private static let ordersEach = 20

        /// Each service and each store is killed once while 200 orders run, at a broker that loses one reply in ten and
        /// three requests in a hundred, and delivers each fill twice. Every order ends once, and the books balance.
        @Test(.timeLimit(.minutes(5)), arguments: SeededGenerator.seeds(1))
        func everyOrderEndsOnceWhateverIsKilled(seed: UInt64) async throws {
            var random = SeededGenerator(seed: seed)
            let victims = Victim.all.shuffled(using: &random)
            let start = ContinuousClock.now
            let settings: [ServiceName: [String: String]] = [.trading: ["MERIDIAN_FIRST_RESEND_MS": "300"]]
            try await TestStack.run(settings: settings) { stack in
                try await stack.setBroker(
                    BrokerBehavior(seed: Int64(truncatingIfNeeded: seed)),
                    [
                        .slowReplies(
                            "acks", .uniform(.milliseconds(5) ... .milliseconds(30)), of: [.placeOrder, .cancelOrder]),
                        .fills("fills", .uniform(.milliseconds(20) ... .milliseconds(100))),
                        .loseReplies(probability: 0.1), .loseRequests(probability: 0.03), .duplicateFills(copies: 1),
                    ])
                // Half of them have dollars; the others exchange won for every order.
                let customers = try (0..<Self.customers).map { try stack.customer("customer-\($0)") }
                for (index, customer) in customers.enumerated() {
                    try await stack.openAccounts(
                        of: customer, won: 100_000_000, cents: index.isMultiple(of: 2) ? 100_000_000 : 0)
                }

                let ended = EndedOrders()
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for customer in customers {
                        tasks.addTask {
                            for number in 0..<Self.ordersEach {
                                ended.append(try await Self.oneOrder(number, of: customer))
                            }
                        }
                    }
                    tasks.addTask {
                        let step = Self.customers * Self.ordersEach / (victims.count + 1)
                        for (index, victim) in victims.enumerated() {
                            await ended.wait(for: (index + 1) * step)
                            try await Self.killAndRestart(victim, in: stack.stack)
                        }
                    }
                    do {
                        try await tasks.waitForAll()
                    } catch {
                        ended.giveUp()
                        throw error
                    }
                }
                let drained = start.duration(to: .now)

                let books = try await stack.booksAtRest(within: .seconds(60))
                for check in Auditor.check(books) { #expect(check.passed, "seed \(seed): \(check.text)") }
                let orders = ended.orders
                #expect(books.orders.count == Self.customers * Self.ordersEach)
                #expect(Set(orders.map(\.orderID)).count == Self.customers * Self.ordersEach)
                for order in orders {
                    #expect(
                        order.ordStatus == .filled || order.ordStatus == .canceled,
                        "seed \(seed): \(order.orderID) \(order.ordStatus) \(order.reason) \(order.text)")
                }
                let logs = Logs(folder: stack.stack.folder)
                for service in Stack.services {
                    let starts = try logs.events(of: service).filter { $0.name == "service.ready" }.count
                    #expect(starts == 2, "\(service.rawValue) was killed and started again")
                }
                let filled = orders.filter { $0.ordStatus == .filled }.count
                print(
                    "seed \(seed): \(orders.count) orders (\(filled) filled), \(books.exchanges.count) exchanges, "
                        + "\(books.truth.placeAttempts) attempts, \(books.truth.lostReplies) replies lost, "
                        + "killed \(victims.map(\.description).joined(separator: ", ")); "
                        + "orders ended after \(TimeText.format(drained)), "
                        + "books at rest after \(TimeText.format(start.duration(to: .now)))")
            }
        }

        /// Places an order and follows it to its end; every fifth rests at the broker until its customer cancels it.
        private static func oneOrder(_ number: Int, of customer: Customer) async throws -> ChannelOrder {
            let rests = number % 5 == 4
            let price = rests ? TestStack.restingPrice : TestStack.fillingPrice
            let placed = try await customer.place(try customer.request("\(customer.name)-\(number)", price: price))
            guard rests else { return try await customer.follow(placed, within: .seconds(120)) }
            let working = try await customer.follow(placed, until: [.new], within: .seconds(120))
            if working.hasEnded { return working }
            try await customer.cancel(working)
            return try await customer.follow(working, within: .seconds(120))
        }

        private static func killAndRestart(_ victim: Victim, in stack: Stack) async throws {
            switch victim {
            case .service(let service):
                await stack.kill(service)
                try await stack.start(service)
                try await stack.waitUntilReady(service)
            case .store(let store):
                await stack.kill(store)
                try await stack.start(store)
            }
        }
    }
}

/// Orders that have come to their end, and whoever waits for a number of them.
private final class EndedOrders: Sendable {
    private struct State {
        var orders: [ChannelOrder] = []
        var isOver = false
        var waiting: (count: Int, continuation: CheckedContinuation<Void, Never>)?
    }

    private let state = Mutex(State())

    var orders: [ChannelOrder] { state.withLock { $0.orders } }

    func append(_ order: ChannelOrder) { change { $0.orders.append(order) } }

    /// Lets whoever waits go on: no more orders will end.
    func giveUp() { change { $0.isOver = true } }

    /// Returns when `count` orders have ended, or when no more will. One caller at a time.
    func wait(for count: Int) async {
        await withCheckedContinuation { continuation in
            change { $0.waiting = (count, continuation) }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let ready = state.withLock { state -> CheckedContinuation<Void, Never>? in
            body(&state)
            guard let waiting = state.waiting, state.isOver || state.orders.count >= waiting.count else { return nil }
            state.waiting = nil
            return waiting.continuation
        }
        ready?.resume()
    }
}
