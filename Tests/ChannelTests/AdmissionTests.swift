import Contracts
import Cryptography
import Domain
import Postgres
import RPCCore
import ServiceKit
import TestSupport
import Testing

@testable import Channel

/// Who may come in, and to what.
@Suite(.serialized) struct AdmissionTests {
    @Test func whoShowsNoGoodTokenIsRefusedEverywhere() async throws {
        try await Door.with { door in
            let good = try Door.options().metadata["authorization"] ?? ""
            let cases: [(CallOptions, String, WireRetryAdvice)] = [
                (try Door.options(header: nil), "TOKEN_MISSING", .never),
                (try Door.options(header: "Basic YTpi"), "TOKEN_MISSING", .never),
                (try Door.options(header: "Bearer "), "TOKEN_MALFORMED", .never),
                (try Door.options(header: "Bearer nonsense"), "TOKEN_MALFORMED", .never),
                (try Door.options(header: good.dropLast(8) + "AAAAAAAA"), "TOKEN_FORGED", .never),
                (try Door.options(key: Ed25519PrivateKey()), "TOKEN_FORGED", .never),
                (try Door.options(expires: Door.now), "TOKEN_EXPIRED", .sameIDAfter),
            ]
            for (options, reason, retry) in cases {
                let expected = Refused(code: .unauthenticated, reason: reason, retry: retry)
                #expect(await refusal { try await door.place(options: options) } == expected)
                let client = door.client
                #expect(
                    await refusal {
                        try await client.cancelOrder(ChannelCancelOrderRequest(orderID: "o"), options: options)
                    } == expected)
                #expect(
                    await refusal {
                        try await client.getOrder(ChannelGetOrderRequest(id: .orderID("o")), options: options)
                    } == expected)
                #expect(
                    await refusal { try await client.listOrders(ChannelListOrdersRequest(), options: options) }
                        == expected)
                #expect(
                    await refusal { try await client.getBalances(ChannelGetBalancesRequest(), options: options) }
                        == expected)
                #expect(
                    await refusal {
                        try await client.streamOrders(ChannelStreamOrdersRequest(), options: options) { updates in
                            for try await _ in updates {}
                        }
                    } == expected)
            }
            #expect(door.trading.customers.isEmpty)
            #expect(door.dollars.questions.value == 0)
        }
    }

    @Test func whoCallsTooOftenIsRefusedAndNobodyElse() async throws {
        try await Door.with(
            .set {
                $0.callsPerSecond = 1
                $0.callBurst = 2
            }
        ) { door in
            for _ in 0..<2 { _ = try await door.place() }
            #expect(
                await refusal { try await door.place() }
                    == Refused(code: .resourceExhausted, reason: "RATE_LIMITED", retry: .sameIDAfter))
            _ = try await door.place("usd-2", options: try Door.options("mallory"))
            #expect(door.trading.placed.map(\.customerID) == ["alice", "alice", "mallory"])
        }
    }

    @Test(arguments: [
        ("usd-2", "", "somebody else's"), ("usd-9", "", "nobody's"), ("krw-1", "", "another ledger's"),
        ("usd-1", "krw-2", "funding of somebody else"), ("usd-1", "krw-9", "funding of nobody"),
    ])
    func onlyOnesOwnAccountsCanBeUsed(_ account: String, _ funding: String, _ what: String) async throws {
        try await Door.with { door in
            let refused = await refusal { try await door.place(account, funding: funding) }
            #expect(refused == Refused(code: .permissionDenied, reason: "ACCOUNT_NOT_OWNED"), "\(what)")
            #expect(door.trading.placed.isEmpty)
        }
    }

    @Test(arguments: [
        ("", "", "ACCOUNT_ID_EMPTY"), ("a b", "", "ACCOUNT_ID_MALFORMED"),
        (String(repeating: "a", count: 1000), "", "ACCOUNT_ID_TOO_LONG"),
        ("usd-1", "a b", "FUNDING_ACCOUNT_ID_MALFORMED"),
    ])
    func whatIsNoAccountIdAsksNoLedger(_ account: String, _ funding: String, _ reason: String) async throws {
        try await Door.with { door in
            let refused = await refusal { try await door.place(account, funding: funding) }
            #expect(refused == Refused(code: .invalidArgument, reason: reason))
            #expect(door.trading.placed.isEmpty && door.won.questions.value == 0)
        }
    }

    @Test func anOwnAccountIsAskedForOnce() async throws {
        try await Door.with { door in
            for _ in 0..<3 { _ = try await door.place("usd-1", funding: "krw-1") }
            #expect(door.dollars.questions.value == 1 && door.won.questions.value == 1)
            #expect(door.trading.placed.count == 3)
        }
    }

    @Test(arguments: [
        Status(.unavailable, "down", certainty: .notProcessed), Status(.unavailable, "cut", certainty: .unknown),
        Status(.notFound, "a proxy's page"), Status(.internal, "bare"),
    ])
    func withoutTheLedgerNothingIsDoneAndThatIsCertain(_ failure: Status) async throws {
        try await Door.with(ledger: failure) { door in
            #expect(
                await refusal { try await door.place() }
                    == Refused(code: .unavailable, reason: "INSIDE_UNAVAILABLE", retry: .sameIDAfter))
            #expect(door.trading.placed.isEmpty)
        }
    }

    @Test func aClosedProductTurnsNewOrdersAwayAndNothingElse() async throws {
        try await Door.with { door in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await door.channel.run() }
                defer { group.cancelAll() }
                _ = try await door.place()
                try await door.postgres.execute(
                    sql: "INSERT INTO entry_switch VALUES ('overseas-stocks', false, 'back at nine')")
                try await eventually("the product is closed") {
                    do {
                        _ = try await door.place()
                        return false
                    } catch let status as Status {
                        let detail = try #require(WireErrorDetail(status))
                        #expect(detail.reason == "PRODUCT_CLOSED" && detail.certainty == .definitelyNotDone)
                        #expect(status.code == .unavailable && status.message == "back at nine")
                        return true
                    }
                }
                let placed = door.trading.placed.count
                _ = try await door.client.cancelOrder(
                    ChannelCancelOrderRequest(orderID: "order-1"), options: try Door.options())
                #expect(door.trading.placed.count == placed)
                // The last view stays while the database cannot be read.
                try await door.postgres.executeScript("ALTER TABLE entry_switch RENAME TO gone")
                try await eventually("it was read in vain") { door.log.lines.contains { $0.event == "entry.unread" } }
                #expect(await refusal { try await door.place() }?.reason == "PRODUCT_CLOSED")
                try await door.postgres.executeScript(
                    "ALTER TABLE gone RENAME TO entry_switch; UPDATE entry_switch SET is_open = true")
                try await eventually("the product is open") { (try? await door.place()) != nil }
            }
        }
    }
}
