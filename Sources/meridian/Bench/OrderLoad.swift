import Contracts
import Domain
import EventLoop
import Limits
import RPC
import RPCCore
import Synchronization

/// Purchases of one share at a fixed arrival rate, placed at the door and followed there until they are filled.
final class OrderLoad: Sendable {
    struct Plan: Sendable {
        var rate: Int
        var seconds: Int
        /// Load at the same rate before the measurement: caches fill, statements are prepared.
        var warmUpSeconds = 2
        var customers = 20
        var outstandingLimit = 10_000
        /// How long the last orders may take after the last arrival.
        var patience: Duration = .seconds(60)
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// A customer with the token of this run.
    private struct Customer: Sendable {
        let id: String
        let options: CallOptions
        var account: String { "\(id)-usd" }
    }

    private let plan: Plan
    private let folder: StackFolder
    private let group: EventLoopGroup
    /// Separate connections: updates do not queue behind orders, and orders do not use up the room of the streams.
    private let calls: RPCClientChannel
    private let streams: RPCClientChannel
    private let dollars: RPCClientChannel
    private let customers: [Customer]
    private let tally: Mutex<OrderTally>

    /// - Parameter run: begins the customers' ids, so that a stack can be measured more than once.
    init(plan: Plan, run: String, folder: StackFolder) throws {
        self.plan = plan
        self.folder = folder
        let group = try EventLoopGroup(name: "bench", count: 1)
        var configuration = ClientConfiguration()
        configuration.maximumWaitingCalls = plan.outstandingLimit
        func channel(to service: ServiceName) throws -> RPCClientChannel {
            RPCClientChannel(
                target: .unix(path: folder.socket(of: service)),
                tls: try folder.certificates.client(as: "operator", to: service), group: group,
                configuration: configuration)
        }
        self.group = group
        calls = try channel(to: .channel)
        streams = try channel(to: .channel)
        dollars = try channel(to: .accountFX)
        customers = try (0..<plan.customers).map { number in
            let id = "\(run)-\(number)"
            let life = Duration.seconds(plan.warmUpSeconds + plan.seconds + 600)
            let token = try folder.token(for: id, validFor: life)
            return Customer(id: id, options: CallOptions(metadata: ["authorization": "Bearer \(token)"]))
        }
        tally = Mutex(OrderTally(outstandingLimit: plan.outstandingLimit))
    }

    /// Opens the accounts, offers the load, and waits for the last fills, `patience` at most.
    func run() async throws -> OrderTally {
        // What it does runs on its own loop, so that nothing but the load waits for that thread.
        let result: Result<Void, any Error>
        do {
            result = .success(try await group.loops[0].run { try await self.drive() })
        } catch {
            result = .failure(error)
        }
        for channel in [calls, streams, dollars] { await channel.shutDown() }
        group.shutDown()
        try result.get()
        return tally.withLock { $0 }
    }

    private func drive() async throws {
        try await openAccounts()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let start = ContinuousClock.now + .milliseconds(100)
            for customer in customers { tasks.addTask { try await self.watch(customer, since: start) } }
            tasks.addTask {
                try await self.offer(from: start)
                try await self.settle()
            }
            // Streams do not end by themselves: the first to end is the load, or whatever failed.
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    /// Dollars enough for every order at its limit price.
    private func openAccounts() async throws {
        let ledger = AccountServiceClient(dollars)
        for customer in customers {
            _ = try await ledger.openAccount(
                AccountOpenAccountRequest(
                    accountID: customer.account, customerID: customer.id, currency: "USD",
                    openingBalance: WireMoney(Money(minorUnits: 100_000_000_000, currency: .usd))))
        }
    }

    // MARK: The generator

    private func offer(from start: ContinuousClock.Instant) async throws {
        let schedule = ArrivalSchedule(rate: plan.rate, seconds: plan.warmUpSeconds + plan.seconds)
        let warming = plan.rate * plan.warmUpSeconds
        try await withThrowingDiscardingTaskGroup { orders in
            for index in 0..<schedule.count {
                let due = schedule.offset(of: index)
                if start + due > .now { try await Task.sleep(until: start + due, clock: .continuous) }
                let customer = customers[index % customers.count]
                // Unique for the customer, whose id tells one run from another.
                let id = "\(customer.id)-\(index)"
                let isSent = tally.withLock { $0.arrive(id, scheduled: due, isMeasured: index >= warming) }
                if isSent { orders.addTask { await self.place(id, for: customer, since: start) } }
            }
        }
    }

    private func place(_ id: String, for customer: Customer, since start: ContinuousClock.Instant) async {
        do {
            var options = customer.options
            options.timeout = .seconds(20)
            let response = try await ChannelServiceClient(calls).placeOrder(
                ChannelPlaceOrderRequest(
                    clientOrderID: id, symbol: "AAPL", side: .buy, ordType: .limit,
                    orderQty: WireDecimal(Quantity(shares: 1)), price: WireDecimal(Price(unscaled: 2_240_000)),
                    timeInForce: .day, accountID: customer.account), options: options)
            let now = start.duration(to: .now)
            tally.withLock { tally in
                if let order = response.order, order.ordStatus == .denied {
                    tally.fail(id, reason: order.reason)
                } else {
                    tally.answer(id, at: now)
                }
            }
        } catch {
            let reason = (error as? Status)?.reason ?? "\(error)"
            tally.withLock { $0.fail(id, reason: reason) }
        }
    }

    // MARK: The streams

    private func watch(_ customer: Customer, since start: ContinuousClock.Instant) async throws {
        // After 1, not 0: the customer is new, so that this is everything, whenever the stream begins.
        try await ChannelServiceClient(streams).streamOrders(
            ChannelStreamOrdersRequest(afterSequence: 1), options: customer.options
        ) { updates in
            for try await update in updates {
                guard let order = update.order else { continue }
                note(order, at: start.duration(to: .now))
            }
        }
        throw Failure(description: "the stream of \(customer.id) ended")
    }

    private func note(_ order: ChannelOrder, at time: Duration) {
        tally.withLock { tally in
            switch order.ordStatus {
            case .filled: tally.fill(order.clientOrderID, at: time)
            case .canceled, .rejected, .expired, .denied, .needsReview:
                let reason = order.reason.isEmpty ? "\(order.ordStatus)" : order.reason
                tally.fail(order.clientOrderID, reason: reason)
            case .unspecified, .pendingNew, .new, .partiallyFilled, .pendingCancel, .pendingReplace, .suspended,
                .unconfirmed, .unrecognized:
                break
            }
        }
    }

    private func settle() async throws {
        let limit = ContinuousClock.now + plan.patience
        while tally.withLock({ $0.outstanding }) > 0 {
            guard ContinuousClock.now < limit else { return tally.withLock { $0.abandon() } }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
