import Contracts
import Domain
import Postgres
import RPCCore
import Testing

@testable import FXSaga

@Suite struct LimitAndQuoteTests {
    private func idle(_ configuration: inout FXSagaConfiguration) {
        configuration.longestWait = .milliseconds(201)  // Nobody drives in these tests, and nobody shall wait.
    }

    /// 133,527 won each: two fit under 400,000, done or not.
    @Test func whatIsInProgressCounts() async throws {
        try await Stack.with { configuration in
            idle(&configuration)
            configuration.dailyLimit = Money(minorUnits: 400_000, currency: .krw)
        } _: { stack in
            let client = stack.client(stack.service())
            let answers = await withTaskGroup(of: String.self) { group in
                for number in 0..<10 {
                    group.addTask {
                        await Stack.refusal { try await client.createExchange(Stack.request("x\(number)")).state }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count { $0 == "DAILY_LIMIT_EXCEEDED" } == 8)
            #expect(answers.count { $0.hasPrefix("no refusal") } == 2)
            #expect(try await stack.count("SELECT in_progress_minor FROM limit_usage") == 2 * 133_527)
            #expect(try await stack.count("SELECT count(*) FROM exchange_request") == 2)
            try await stack.expireLeases()
            let refused = try await stack.postgres.query(
                sql: "SELECT exchange_id FROM exchange_key WHERE refusal IS NOT NULL"
            ) { try $0.string(0) }
            stack.krw.fail(.withdraw, .refuse("RULE"))
            try await stack.running(stack.service { $0.longestWait = .seconds(30) }) { client in
                for number in 0..<10 where !refused.contains("x\(number)") {
                    _ = try await stack.ended("x\(number)", client)
                }
                // One failed and gave its part back; a refusal stays what it was, and a new id has room.
                let again = await Stack.refusal { try await client.createExchange(Stack.request(refused[0])) }
                #expect(again == "DAILY_LIMIT_EXCEEDED")
                let other = await Stack.refusal { try await client.createExchange(Stack.request(refused[0], cents: 1)) }
                #expect(other == "EXCHANGE_ID_REUSED")
                #expect(try await client.createExchange(Stack.request("y1")).state == .completed)
            }
            #expect(try await stack.count("SELECT done_minor FROM limit_usage") == 2 * 133_527)
            try await stack.expectBooksInOrder()
        }
    }

    @Test func aQuoteIsTakenOnceAsItIs() async throws {
        try await Stack.with { configuration in
            configuration.spread = BasisPoints(100)
        } _: { stack in
            try await stack.running { client in
                let quote = try await client.getQuote(Self.quoteRequest(10_000))
                #expect(quote.sell == WireMoney(currency: "KRW", minor: 134_863))
                #expect(quote.spreadBasisPoints == 100)
                // Another instance with another spread honours it.
                let answers = try await withThrowingTaskGroup(of: String.self) { group in
                    for number in 0..<8 {
                        group.addTask {
                            await Stack.refusal {
                                let request = Stack.request("x\(number)", quote: quote.quoteID)
                                let exchange = try await client.createExchange(request)
                                #expect(exchange.sell == quote.sell && exchange.state == .completed)
                            }
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(answers.count { $0 == "QUOTE_USED" } == 7)
            }
            #expect(stack.krw.balance("kim-krw") == 10_000_000 - 134_863)
            try await stack.expectBooksInOrder()
        }
    }

    @Test func quotesThatCannotBeTaken() async throws {
        try await Stack.with { stack in
            let brief = stack.client(stack.service { $0.quoteLifetime = .microseconds(1) })
            let quote = try await brief.getQuote(Self.quoteRequest(10_000))
            let expired = await Stack.refusal {
                try await brief.createExchange(Stack.request("x1", quote: quote.quoteID))
            }
            #expect(expired == "QUOTE_EXPIRED")
            let mismatch = await Stack.refusal {
                try await brief.createExchange(Stack.request("x1", cents: 10_001, quote: quote.quoteID))
            }
            #expect(mismatch == "QUOTE_MISMATCH")
            let unknown = await Stack.refusal { try await brief.createExchange(Stack.request("x1", quote: "none")) }
            #expect(unknown == "QUOTE_UNKNOWN")
            // None of these decided on the id: it can still be used, with the rate of the moment.
            #expect(try await stack.count("SELECT count(*) FROM exchange_key") == 0)
            let ended = try await stack.running { client in try await client.createExchange(Stack.request("x1")) }
            #expect(ended.state == .completed)
        }
    }

    @Test func expiredQuotesAreRemoved() async throws {
        try await Stack.with { configuration in
            configuration.quoteLifetime = .microseconds(1)
            configuration.quoteRetention = .zero
        } _: { stack in
            let service = stack.service()
            _ = try await stack.client(service).getQuote(Self.quoteRequest(10_000))
            try await service.watch()
            #expect(try await stack.count("SELECT count(*) FROM quote") == 0)
        }
    }

    private static func quoteRequest(_ cents: Int64) -> FXGetQuoteRequest {
        FXGetQuoteRequest(buy: WireMoney(currency: "USD", minor: cents), sellCurrency: "KRW")
    }
}
