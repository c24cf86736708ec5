import Contracts
import Domain
import Limits
import RPCCore

@testable import meridian

/// Somebody at the door, who sends a request again when it is not known what became of it.
struct Customer: Sendable {
    let name: String
    let door: ChannelServiceClient
    let token: String

    var wonAccount: String { "\(name)-krw" }
    var dollarAccount: String { "\(name)-usd" }

    struct Unexpected: Error, CustomStringConvertible {
        let description: String
    }

    /// Each call may take this long; a service that is being restarted is waited for.
    var options: CallOptions {
        CallOptions(timeout: .seconds(6), metadata: ["authorization": "Bearer \(token)"], waitsForReady: true)
    }

    /// One share of AAPL.
    func request(_ id: String, price: Price = TestStack.fillingPrice) throws -> ChannelPlaceOrderRequest {
        ChannelPlaceOrderRequest(
            clientOrderID: id, symbol: "AAPL", side: .buy, ordType: .limit,
            orderQty: WireDecimal(try Quantity(shares: 1)), price: WireDecimal(price), timeInForce: .day,
            accountID: dollarAccount, fundingAccountID: wonAccount)
    }

    func place(_ request: ChannelPlaceOrderRequest) async throws -> ChannelOrder {
        let response = try await persistently { try await door.placeOrder(request, options: options) }
        guard let order = response.order else { throw Unexpected(description: "the answer holds no order") }
        return order
    }

    func cancel(_ order: ChannelOrder) async throws {
        _ = try await persistently {
            try await door.cancelOrder(ChannelCancelOrderRequest(orderID: order.orderID), options: options)
        }
    }

    /// Asks for the order until its status is one of `wanted` or one that ends it.
    func follow(_ order: ChannelOrder, until wanted: Set<WireOrdStatus> = [], within limit: Duration = .seconds(60))
        async throws -> ChannelOrder
    {
        let end = ContinuousClock.now + limit
        while true {
            let now = try await persistently {
                try await door.getOrder(ChannelGetOrderRequest(id: .orderID(order.orderID)), options: options)
            }
            if wanted.contains(now.ordStatus) || now.hasEnded { return now }
            guard ContinuousClock.now < end else {
                throw Unexpected(description: "\(order.orderID) is still \(now.ordStatus) after \(limit)")
            }
            try await Task.sleep(for: .milliseconds(50))  // A customer who looks again, as an app would.
        }
    }

    /// Sends the same again, after a growing pause and for at most 60 seconds, while the answer says that this is right.
    private func persistently<Response>(_ call: () async throws -> Response) async throws -> Response {
        let end = ContinuousClock.now + .seconds(60)
        let backoff = Backoff(initial: .milliseconds(50), maximum: .seconds(1))
        var attempt = 1
        while true {
            do {
                return try await call()
            } catch let status as Status where status.mayBeSentAgain && ContinuousClock.now < end {
                try await Task.sleep(for: backoff.delay(afterAttempt: attempt, random: .random(in: 0 ... .max)))
                attempt += 1
            }
        }
    }
}

extension Status {
    /// Whether the same request under the same id is the right next step.
    var mayBeSentAgain: Bool {
        if let detail = WireErrorDetail(self) { return detail.retry == .sameIDAfter }
        return code == .unavailable || code == .deadlineExceeded || code == .unknown
    }
}

extension ChannelOrder {
    /// Nothing more will happen to it by itself.
    var hasEnded: Bool {
        switch ordStatus {
        case .filled, .canceled, .rejected, .expired, .denied, .needsReview: true
        case .unspecified, .pendingNew, .new, .partiallyFilled, .pendingCancel, .pendingReplace, .suspended,
            .unconfirmed,
            .unrecognized:
            false
        }
    }
}
