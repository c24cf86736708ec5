import Channel
import Contracts
import Cryptography
import Domain
import Foundation
import RPCCore
import ServiceKit
import Testing

@testable import meridian

/// A request that the door refuses: how it differs from a good one, and the answer.
private struct BadOrder: Sendable {
    let name: String
    let code: Status.Code
    let reason: String
    let spoil: @Sendable (inout ChannelPlaceOrderRequest) -> Void

    init(
        _ name: String, _ code: Status.Code, _ reason: String,
        _ spoil: @escaping @Sendable (inout ChannelPlaceOrderRequest) -> Void
    ) {
        self.name = name
        self.code = code
        self.reason = reason
        self.spoil = spoil
    }

    private static func quantity(
        _ name: String, _ unscaled: Int64, _ scale: Int32, _ reason: String
    ) -> BadOrder {
        BadOrder(name, .invalidArgument, reason) { $0.orderQty = WireDecimal(unscaled: unscaled, scale: scale) }
    }

    private static func price(_ name: String, _ unscaled: Int64, _ scale: Int32, _ reason: String) -> BadOrder {
        BadOrder(name, .invalidArgument, reason) { $0.price = WireDecimal(unscaled: unscaled, scale: scale) }
    }

    static let amounts: [BadOrder] = [
        quantity("no share", 0, 0, "QUANTITY_NOT_POSITIVE"),
        quantity("a negative quantity", -1, 0, "QUANTITY_NOT_POSITIVE"),
        quantity("half a share", 5, 1, "QUANTITY_OFF_LOT"),
        quantity("more than one order may have", 10_001, 0, "QUANTITY_TOO_LARGE"),
        quantity("2^63-1 shares", .max, 0, "DECIMAL_OUT_OF_RANGE"),
        quantity("-2^63 shares", .min, 0, "DECIMAL_OUT_OF_RANGE"),
        quantity("2^63-1 nano-shares", .max, 9, "QUANTITY_TOO_LARGE"),
        quantity("-2^63 nano-shares", .min, 9, "QUANTITY_NOT_POSITIVE"),
        quantity("a scale of 10", 1, 10, "DECIMAL_OUT_OF_RANGE"),
        quantity("a scale of -1", 1, -1, "DECIMAL_OUT_OF_RANGE"),
        quantity("the greatest scale", 1, .max, "DECIMAL_OUT_OF_RANGE"),
        quantity("the least scale", 1, .min, "DECIMAL_OUT_OF_RANGE"),
        price("a tenth of a cent", 223_001, 3, "LIMIT_PRICE_OFF_TICK"),
        price("no price", 0, 0, "LIMIT_PRICE_NOT_POSITIVE"),
        price("a negative price", -22_400, 2, "LIMIT_PRICE_NOT_POSITIVE"),
        price("2^63-1 dollars", .max, 0, "DECIMAL_OUT_OF_RANGE"),
        price("-2^63 dollars", .min, 0, "DECIMAL_OUT_OF_RANGE"),
        price("2^63-1 hundredths of a cent", .max, 4, "LIMIT_PRICE_OFF_TICK"),
        price("all the money there is", 9_223_372_036_854_775_800, 4, "LIMIT_PRICE_OUTSIDE_COLLAR"),
        price("far above the last price", 30_000, 2, "LIMIT_PRICE_OUTSIDE_COLLAR"),
        price("a garbage scale", 22_400, 77, "DECIMAL_OUT_OF_RANGE"),
        quantity("more than a million dollars", 5_000, 0, "NOTIONAL_EXCEEDS_LIMIT"),
    ]

    static let fields: [BadOrder] = [
        BadOrder("an unknown symbol", .invalidArgument, "UNKNOWN_SYMBOL") { $0.symbol = "ZZZZ" },
        BadOrder("no symbol", .invalidArgument, "SYMBOL_EMPTY") { $0.symbol = "" },
        BadOrder("an endless symbol", .invalidArgument, "SYMBOL_TOO_LONG") {
            $0.symbol = String(repeating: "A", count: 10_000)
        },
        BadOrder("no side", .invalidArgument, "SIDE_MISSING") { $0.side = .unspecified },
        BadOrder("a side of the future", .invalidArgument, "SIDE_MISSING") { $0.side = .unrecognized(9) },
        BadOrder("no type", .invalidArgument, "ORD_TYPE_MISSING") { $0.ordType = .unspecified },
        BadOrder("a time in force of the future", .invalidArgument, "TIME_IN_FORCE_MISSING") {
            $0.timeInForce = .unrecognized(-1)
        },
        BadOrder("no quantity field", .invalidArgument, "ORDER_QTY_MISSING") { $0.orderQty = nil },
        BadOrder("no price field", .invalidArgument, "PRICE_MISSING") { $0.price = nil },
        BadOrder("a market order with a price", .invalidArgument, "PRICE_NOT_ALLOWED") { $0.ordType = .market },
        BadOrder("an empty id", .invalidArgument, "CLIENT_ORDER_ID_EMPTY") { $0.clientOrderID = "" },
        BadOrder("an id of 37", .invalidArgument, "CLIENT_ORDER_ID_TOO_LONG") {
            $0.clientOrderID = String(repeating: "a", count: 37)
        },
        BadOrder("an id of a megabyte", .invalidArgument, "CLIENT_ORDER_ID_TOO_LONG") {
            $0.clientOrderID = String(repeating: "a", count: 1_000_000)
        },
        BadOrder("an id with a space", .invalidArgument, "CLIENT_ORDER_ID_MALFORMED") { $0.clientOrderID = "a b" },
        BadOrder("an id with a slash", .invalidArgument, "CLIENT_ORDER_ID_MALFORMED") { $0.clientOrderID = "a/b" },
        BadOrder("an id in Korean", .invalidArgument, "CLIENT_ORDER_ID_MALFORMED") { $0.clientOrderID = "주문" },
        BadOrder("an id with a line end", .invalidArgument, "CLIENT_ORDER_ID_MALFORMED") { $0.clientOrderID = "a\nb" },
        BadOrder("no account", .invalidArgument, "ACCOUNT_ID_EMPTY") { $0.accountID = "" },
        BadOrder("an endless account", .invalidArgument, "ACCOUNT_ID_TOO_LONG") {
            $0.accountID = String(repeating: "a", count: 10_000)
        },
        BadOrder("an account with a space", .invalidArgument, "ACCOUNT_ID_MALFORMED") { $0.accountID = "a b" },
        BadOrder("an unknown account", .permissionDenied, "ACCOUNT_NOT_OWNED") { $0.accountID = "nobody-usd" },
        BadOrder("somebody else's account", .permissionDenied, "ACCOUNT_NOT_OWNED") { $0.accountID = "other-usd" },
        BadOrder("a won account where dollars are needed", .permissionDenied, "ACCOUNT_NOT_OWNED") {
            $0.accountID = "jiho-krw"
        },
        BadOrder("somebody else's won", .permissionDenied, "ACCOUNT_NOT_OWNED") { $0.fundingAccountID = "other-krw" },
        BadOrder("an unknown won account", .permissionDenied, "ACCOUNT_NOT_OWNED") {
            $0.fundingAccountID = "nobody-krw"
        },
        BadOrder("an endless won account", .invalidArgument, "FUNDING_ACCOUNT_ID_TOO_LONG") {
            $0.fundingAccountID = String(repeating: "a", count: 10_000)
        },
        BadOrder("the same id for more", .alreadyExists, "CLIENT_ORDER_ID_REUSED") {
            $0.clientOrderID = "good"
            $0.orderQty = WireDecimal(unscaled: 2, scale: 0)
        },
        BadOrder("the same id at another price", .alreadyExists, "CLIENT_ORDER_ID_REUSED") {
            $0.clientOrderID = "good"
            $0.price = WireDecimal(unscaled: 22_399, scale: 2)
        },
        BadOrder("the same id without funding", .alreadyExists, "CLIENT_ORDER_ID_REUSED") {
            $0.clientOrderID = "good"
            $0.fundingAccountID = ""
        },
        BadOrder("the same id for nothing", .invalidArgument, "QUANTITY_NOT_POSITIVE") {
            $0.clientOrderID = "good"
            $0.orderQty = WireDecimal(unscaled: 0, scale: 0)
        },
    ]
}

extension StackTests {
    struct BadInputTests {
        /// Every bad request has its own clear answer, and leaves no trace in any table or at the broker.
        @Test(.timeLimit(.minutes(2))) func badInputIsRefusedAndWritesNothing() async throws {
            try await TestStack.run { stack in
                let customer = try stack.customer("jiho")
                let other = try stack.customer("other")
                for owner in [customer, other] {
                    try await stack.openAccounts(of: owner, won: 2_000_000, cents: 100_000)
                }
                // Something that bad input could damage.
                let good = try await customer.follow(try await customer.place(try customer.request("good")))
                try #require(good.ordStatus == .filled)
                let before = try await atRest(stack)

                for bad in BadOrder.amounts + BadOrder.fields {
                    var request = try customer.request("bad")
                    bad.spoil(&request)
                    await expect(bad.name, bad.code, bad.reason) {
                        _ = try await customer.door.placeOrder(request, options: customer.options)
                    }
                }
                try await expectTokensRefused(customer, stack)
                try await expectOrdersHidden(good, from: other)
                await expectUnreadableRefused(customer, try stack.channel(to: .channel))

                let after = try await atRest(stack)
                #expect(after == before)
                // The first order is untouched, and its own request still gives its answer.
                let again = try await customer.door.placeOrder(try customer.request("good"), options: customer.options)
                #expect(again.replayed && again.order?.orderID == good.orderID)
                #expect(try await atRest(stack) == before)
            }
        }

        private struct Traces: Equatable {
            let rows: [String: Int64]
            let brokerOrders: Int
            let brokerAttempts: Int64
        }

        /// What is written, once two looks in a row see the same.
        private func atRest(_ stack: TestStack) async throws -> Traces {
            let end = ContinuousClock.now + .seconds(20)
            var last: Traces?
            while true {
                let truth = try await stack.booksAtRest().truth
                let now = Traces(
                    rows: try await stack.rowCounts(), brokerOrders: truth.orders.count,
                    brokerAttempts: truth.placeAttempts)
                if now == last || ContinuousClock.now > end { return now }
                last = now
                try await stack.pause()
            }
        }

        private func expect(
            _ name: String, _ code: Status.Code, _ reason: String, _ call: () async throws -> Void
        ) async {
            do {
                try await call()
                Issue.record("\(name): accepted")
            } catch let status as Status {
                let detail = WireErrorDetail(status)
                #expect(status.code == code && detail?.reason == reason, "\(name): \(status.code) \(status.reason)")
                #expect(detail?.certainty == .definitelyNotDone, "\(name): \(status)")
                #expect(!status.message.isEmpty, "\(name)")
            } catch {
                Issue.record("\(name): \(error)")
            }
        }

        private func expectTokensRefused(_ customer: Customer, _ stack: TestStack) async throws {
            let folder = stack.stack.folder
            let tomorrow = UnixTime.now + .seconds(86_400)
            let forged = try CustomerToken(customer: CustomerID(customer.name), expires: tomorrow)
                .signed(with: Ed25519PrivateKey())
            let parts = customer.token.split(separator: ".")
            let otherParts = try folder.token(for: "other").split(separator: ".")
            let tokens: [(name: String, header: String?, reason: String)] = [
                ("no token", nil, "TOKEN_MISSING"),
                ("another scheme", "Basic \(customer.token)", "TOKEN_MISSING"),
                ("garbage", "Bearer garbage", "TOKEN_MALFORMED"),
                ("an endless token", "Bearer \(String(repeating: "a", count: 4000))", "TOKEN_MALFORMED"),
                (
                    "an expired token", "Bearer \(try folder.token(for: customer.name, validFor: .seconds(-1)))",
                    "TOKEN_EXPIRED"
                ),
                ("another key's signature", "Bearer \(forged)", "TOKEN_FORGED"),
                ("another customer's claims", "Bearer \(parts[0]).\(otherParts[1]).\(parts[2])", "TOKEN_FORGED"),
                // {"alg":"none","typ":"JWT"}
                ("no signature", "Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.\(parts[1]).", "TOKEN_FORGED"),
            ]
            for token in tokens {
                let metadata: Metadata = token.header.map { ["authorization": $0] } ?? [:]
                let options = CallOptions(timeout: .seconds(6), metadata: metadata)
                let request = try customer.request("bad")
                await expect(token.name, .unauthenticated, token.reason) {
                    _ = try await customer.door.placeOrder(request, options: options)
                }
            }
        }

        /// An order of somebody else and one that does not exist look the same.
        private func expectOrdersHidden(_ order: ChannelOrder, from other: Customer) async throws {
            let unknown = "01a1fc0e-0000-7000-8000-000000000000"
            for id in [order.orderID, unknown] {
                await expect("reading \(id)", .notFound, "ORDER_NOT_FOUND") {
                    _ = try await other.door.getOrder(
                        ChannelGetOrderRequest(id: .orderID(id)), options: other.options)
                }
                await expect("cancelling \(id)", .notFound, "ORDER_NOT_FOUND") {
                    _ = try await other.door.cancelOrder(
                        ChannelCancelOrderRequest(orderID: id), options: other.options)
                }
            }
            await expect("somebody else's client id", .notFound, "ORDER_NOT_FOUND") {
                _ = try await other.door.getOrder(
                    ChannelGetOrderRequest(id: .clientOrderID("good")), options: other.options)
            }
            await expect("no id", .invalidArgument, "ORDER_ID_MISSING") {
                _ = try await other.door.getOrder(ChannelGetOrderRequest(), options: other.options)
            }
            await expect("an empty id", .invalidArgument, "ORDER_ID_EMPTY") {
                _ = try await other.door.cancelOrder(ChannelCancelOrderRequest(), options: other.options)
            }
        }

        /// Bytes that are no request of ours: refused by the transport, before the door looks at them.
        private func expectUnreadableRefused(_ customer: Customer, _ channel: any RPCChannel) async {
            let requests: [(name: String, bytes: [UInt8])] = [
                ("a truncated message", [0x0A, 0x05, 0x61]),
                ("invalid UTF-8", [0x0A, 0x02, 0xC3, 0x28]),
                ("an embedded NUL", [0x0A, 0x03, 0x61, 0x00, 0x62]),
                ("a field number of zero", [0x00, 0x01]),
            ]
            for request in requests {
                do {
                    _ = try await channel.unary(
                        "/meridian.channel.v1.ChannelService/PlaceOrder", request.bytes, options: customer.options)
                    Issue.record("\(request.name): accepted")
                } catch let status as Status {
                    #expect(status.code == .invalidArgument || status.code == .internal, "\(request.name): \(status)")
                } catch {
                    Issue.record("\(request.name): \(error)")
                }
            }
        }
    }
}
