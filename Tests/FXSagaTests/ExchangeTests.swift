import Contracts
import Domain
import Postgres
import RPCCore
import Testing

@testable import FXSaga

/// Exchanges on the real database, with participants that behave and that do not.
@Suite struct ExchangeTests {
    @Test func bothLegs() async throws {
        try await Stack.with { stack in
            let exchange = try await stack.running { client in
                try await client.createExchange(Stack.request("x1"))
            }
            #expect(exchange.state == .completed)
            #expect(exchange.sell == WireMoney(currency: "KRW", minor: 133_527))
            #expect(exchange.rate?.rateID == "ECB-USD-KRW-2026-10-30")
            #expect(!exchange.replayed && exchange.reason.isEmpty)
            #expect(
                exchange.path == [
                    .requested, .withdrawRequested, .withdrawSucceeded, .depositRequested, .depositSucceeded,
                    .completed,
                ])
            #expect(exchange.log.map(\.seq) == [1, 2, 3, 4, 5, 6])
            #expect(stack.krw.balance("kim-krw") == 10_000_000 - 133_527)
            #expect(stack.usd.balance("kim-usd") == 10_000)
            try await stack.expectBooksInOrder()
        }
    }
}
