import Contracts
import Domain
import Limits
import Postgres
import RPCCore

/// Serves one subscriber: from its position on, as fast as it reads, for as long as it stays.
struct UpdateStream: Sendable {
    private static let page = 200

    let ledger: Ledger
    let hub: UpdateHub

    /// - Parameter after: the last sequence that the subscriber has seen; 0 starts with what happens from now on.
    func serve(
        _ customer: CustomerID, after: Int64, to responses: ResponseStream<TradingOrderUpdate>
    ) async throws {
        let served: Void? = try await hub.withSubscription { wakeUp in
            var position = after > 0 ? after : try await start(wakeUp)
            while true {
                try Task.checkCancellation()
                switch hub.read(customer, after: position) {
                case .notStarted: await wakeUp.wait()
                case .updates(let updates, let next):
                    try await write(updates, to: responses)
                    let isMore = position != next
                    position = next
                    if !isMore { await wakeUp.wait() }
                case .behind(let head):
                    let updates = try await ledger.postgres.query(
                        UpdatesOfCustomer(customer: customer, after: position, through: head, limit: Self.page))
                    try await write(updates, to: responses)
                    position = updates.count == Self.page ? updates[updates.count - 1].sequence : head
                }
            }
        }
        guard served != nil else {
            throw Refusal(
                .resourceExhausted, "TOO_MANY_SUBSCRIBERS", "too many subscribers at present", retry: .sameIDAfter)
        }
    }

    private func start(_ wakeUp: WakeUp) async throws -> Int64 {
        while true {
            try Task.checkCancellation()
            if let head = hub.head { return head }
            await wakeUp.wait()
        }
    }

    private func write(_ updates: [OrderView], to responses: ResponseStream<TradingOrderUpdate>) async throws {
        for update in updates {
            try await responses.write(TradingOrderUpdate(sequence: update.sequence, order: TradingOrder(update)))
        }
    }
}
