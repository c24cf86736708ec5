import Contracts
import Domain
import Postgres
import RPCCore
import Testing

@testable import FXSaga

/// What callers are told about requests that cannot be served, and that nothing is written for them.
@Suite struct RequestTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let reason: String
        let change: @Sendable (inout FXCreateExchangeRequest) -> Void
        var testDescription: String { reason }
    }

    static let malformed: [Case] = [
        Case(reason: "ID_MALFORMED") { $0.exchangeID = "" },
        Case(reason: "ID_MALFORMED") { $0.exchangeID = "a/b" },
        Case(reason: "ID_MALFORMED") { $0.exchangeID = String(repeating: "a", count: 65) },
        Case(reason: "ID_MALFORMED") { $0.customerID = "" },
        Case(reason: "ID_MALFORMED") { $0.sourceAccountID = "two words" },
        Case(reason: "ID_MALFORMED") { $0.targetAccountID = "" },
        Case(reason: "ID_MALFORMED") { $0.quoteID = String(repeating: "q", count: 65) },
        Case(reason: "SAME_ACCOUNT") { $0.targetAccountID = $0.sourceAccountID },
        Case(reason: "FIELD_MISSING") { $0.buy = nil },
        Case(reason: "CURRENCY_UNKNOWN") { $0.buy = WireMoney(currency: "usd", minor: 1) },
        Case(reason: "CURRENCY_UNKNOWN") { $0.sellCurrency = "EUR" },
        Case(reason: "SAME_CURRENCY") { $0.sellCurrency = "USD" },
        Case(reason: "AMOUNT_NOT_POSITIVE") { $0.buy = WireMoney(currency: "USD", minor: 0) },
        Case(reason: "AMOUNT_NOT_POSITIVE") { $0.buy = WireMoney(currency: "USD", minor: -1) },
        Case(reason: "AMOUNT_TOO_LARGE") { $0.buy = WireMoney(currency: "USD", minor: .max) },
        Case(reason: "PURPOSE_MALFORMED") { $0.purpose = String(repeating: "p", count: 201) },
        Case(reason: "DAILY_LIMIT_EXCEEDED") { $0.buy = WireMoney(currency: "USD", minor: .max / 200_000) },
    ]

    @Test func eachIsRefusedByName() async throws {
        try await Stack.with { (stack: Stack) async throws in
            let client = stack.client(stack.service())
            for test in Self.malformed {
                var request = Stack.request("x1")
                test.change(&request)
                do {
                    let exchange = try await client.createExchange(request)
                    Issue.record("\(test.reason): \(exchange)")
                } catch {
                    let status = Status(describing: error)
                    #expect(status.reason == test.reason)
                    #expect(status.outcome == .definitelyNotDone)
                    #expect(WireErrorDetail(status)?.retry == .never)
                }
            }
            #expect(try await stack.count("SELECT count(*) FROM exchange_request") == 0)
            #expect(try await stack.count("SELECT count(*) FROM exchange_key WHERE refusal IS NULL") == 0)
            #expect(try await stack.count("SELECT count(*) FROM limit_usage") == 0)
        }
    }

    @Test func pagesNewestFirst() async throws {
        try await Stack.with { stack in
            try await stack.running { client in
                for number in 1...5 { _ = try await client.createExchange(Stack.request("x\(number)")) }
                var ids: [String] = []
                var pages = 0
                var token = ""
                repeat {
                    let page = try await client.listExchanges(FXListExchangesRequest(pageSize: 2, pageToken: token))
                    ids += page.exchanges.map(\.exchangeID)
                    #expect(page.exchanges.allSatisfy { $0.state == .completed && $0.log.isEmpty })
                    token = page.nextPageToken
                    pages += 1
                } while !token.isEmpty
                #expect(ids == ["x5", "x4", "x3", "x2", "x1"])
                #expect(pages == 3)
                let size = await Stack.refusal { try await client.listExchanges(FXListExchangesRequest(pageSize: 501)) }
                #expect(size == "PAGE_SIZE_OUT_OF_RANGE")
                for token in ["x", "1", "-1.x", "99999999999999999999.x", "253402300799000001.x"] {
                    let request = FXListExchangesRequest(pageToken: token)
                    #expect(await Stack.refusal { try await client.listExchanges(request) } == "PAGE_TOKEN_INVALID")
                }
                let unknown = await Stack.refusal {
                    try await client.getExchange(FXGetExchangeRequest(exchangeID: "y"))
                }
                #expect(unknown == "EXCHANGE_UNKNOWN")
            }
        }
    }

    @Test func settingsThatMakeNoSense() throws {
        let cases: [(String, (inout FXSagaConfiguration) -> Void)] = [
            ("instance", { $0.instance = "" }), ("spread", { $0.spread = .whole }),
            ("spread", { $0.spread = BasisPoints(-1) }), ("dailyLimit", { $0.dailyLimit = .zero(.krw) }),
            ("lease", { $0.lease = .seconds(9) }), ("callTimeout", { $0.callTimeout = .zero }),
            ("answerMargin", { $0.answerMargin = .seconds(-1) }), ("concurrentDrives", { $0.concurrentDrives = 0 }),
            ("waitingDrives", { $0.waitingDrives = 0 }), ("recoveryBatch", { $0.recoveryBatch = 1_001 }),
        ]
        try FXSagaConfiguration().validate()
        for (setting, change) in cases {
            var configuration = FXSagaConfiguration()
            change(&configuration)
            do {
                try configuration.validate()
                Issue.record("\(setting) passes")
            } catch {
                #expect(error.setting == setting)
            }
        }
    }

    @Test func fullIsSaidBeforeAnythingIsWritten() async throws {
        try await Stack.with { configuration in
            configuration.waitingDrives = 1
            configuration.longestWait = .milliseconds(201)
        } _: { stack in
            let client = stack.client(stack.service())
            _ = try await client.createExchange(Stack.request("x1"))
            do {
                let exchange = try await client.createExchange(Stack.request("x2"))
                Issue.record("\(exchange)")
            } catch {
                let status = Status(describing: error)
                #expect(status.code == .resourceExhausted && status.outcome == .definitelyNotDone)
                #expect(WireErrorDetail(status)?.retry == .sameIDAfter)
            }
            #expect(try await stack.count("SELECT count(*) FROM exchange_key") == 1)
        }
    }

    @Test func aDatabaseThatIsGoneIsNamed() async throws {
        try await Stack.with { stack in
            let client = stack.client(stack.service())
            await stack.postgres.shutDown()
            let reason = await Stack.refusal { try await client.createExchange(Stack.request("x1")) }
            #expect(reason == "STORE_UNAVAILABLE")
        }
    }
}
