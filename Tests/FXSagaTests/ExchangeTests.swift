import Contracts
import Domain
import EventBus
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

    @Test func theOtherWayRound() async throws {
        try await Stack.with { stack in
            let exchange = try await stack.running { client in
                _ = try await client.createExchange(Stack.request("x1"))
                var back = Stack.request("x2")
                (back.sourceAccountID, back.targetAccountID) = ("kim-usd", "kim-krw")
                (back.buy, back.sellCurrency) = (WireMoney(currency: "KRW", minor: 13_353), "USD")
                return try await client.createExchange(back)
            }
            #expect(exchange.state == .completed)
            #expect(exchange.sell == WireMoney(currency: "USD", minor: 1_001))  // 10.0002... dollars, up to the cent
            #expect(stack.usd.balance("kim-usd") == 10_000 - 1_001)
        }
    }

    /// Faults of the participants, and how the exchange ends.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        var won: [(FakeLedger.Operation, [FakeLedger.Fault])] = []
        var dollars: [(FakeLedger.Operation, [FakeLedger.Fault])] = []
        var lateWithdrawal = ExchangeRules.LateWithdrawal.goOn
        let end: FXExchangeState
        var reason = ""
        let passes: [FXExchangeState]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "withdrawal refused", won: [(.withdraw, [.refuse("INSUFFICIENT_FUNDS")])], end: .failed,
            reason: "INSUFFICIENT_FUNDS", passes: [.withdrawRefused]),
        Case(
            name: "withdrawal lost", won: [(.withdraw, [.loseRequest])], end: .failed, reason: "SEALED",
            passes: [.withdrawUnknown, .withdrawRefused]),
        Case(
            name: "withdrawal late", won: [(.withdraw, [.delayRequest])], end: .failed, reason: "SEALED",
            passes: [.withdrawUnknown, .withdrawRefused]),
        Case(
            name: "reply of the withdrawal lost", won: [(.withdraw, [.loseReply])], end: .completed,
            passes: [.withdrawUnknown, .withdrawSucceeded]),
        Case(
            name: "reply of the withdrawal lost, given back", won: [(.withdraw, [.loseReply])],
            lateWithdrawal: .giveBack, end: .cancelled, reason: "SEALED",
            passes: [.withdrawUnknown, .withdrawSucceeded, .depositRequested, .depositRefused, .cancelRequested]),
        Case(
            name: "deposit refused", dollars: [(.deposit, [.refuse("ACCOUNT_CLOSED")])], end: .cancelled,
            reason: "ACCOUNT_CLOSED", passes: [.depositRefused, .cancelRequested]),
        Case(
            name: "deposit lost", dollars: [(.deposit, [.loseRequest])], end: .cancelled, reason: "SEALED",
            passes: [.depositUnknown, .depositRefused, .cancelRequested]),
        Case(
            name: "deposit late", dollars: [(.deposit, [.delayRequest])], end: .cancelled, reason: "SEALED",
            passes: [.depositUnknown, .depositRefused, .cancelRequested]),
        Case(
            name: "reply of the deposit lost", dollars: [(.deposit, [.loseReply])], end: .completed,
            passes: [.depositUnknown, .depositSucceeded]),
        Case(
            name: "both replies lost", won: [(.withdraw, [.loseReply])], dollars: [(.deposit, [.loseReply])],
            end: .completed, passes: [.withdrawUnknown, .depositUnknown]),
        Case(
            name: "result of the withdrawal unreachable for a while",
            won: [
                (.withdraw, [.loseReply]), (.resolve, [.loseRequest, .loseReply, .status(.internal), .loseRequest]),
            ],
            end: .completed, passes: [.withdrawUnknown, .withdrawSucceeded]),
        Case(
            name: "result of the deposit unreachable for a while",
            dollars: [(.deposit, [.loseRequest]), (.resolve, [.loseRequest, .loseReply, .loseRequest])],
            end: .cancelled, reason: "SEALED", passes: [.depositUnknown, .depositRefused, .cancelRequested]),
    ]

    @Test(arguments: cases)
    func endsOnce(_ test: Case) async throws {
        try await Stack.with { configuration in
            configuration.rules.lateWithdrawal = test.lateWithdrawal
        } _: { stack in
            for (operation, faults) in test.won { for fault in faults { stack.krw.fail(operation, fault) } }
            for (operation, faults) in test.dollars { for fault in faults { stack.usd.fail(operation, fault) } }
            let exchange = try await stack.running { client in try await stack.ended("x1", client) }
            #expect(exchange.state == test.end)
            #expect(exchange.reason == test.reason)
            #expect(exchange.path.filter(test.passes.contains) == test.passes)
            try await stack.expectBooksInOrder()
            // What was held up on its way arrives at last, and finds its key sealed.
            stack.krw.deliverLate()
            stack.usd.deliverLate()
            try await stack.expectBooksInOrder()
        }
    }

    /// Whatever status a participant answers with, nothing is believed but a stored outcome.
    @Test(arguments: Status.Code.allCases.filter { $0 != .ok })
    func everyStatusIsResolved(_ code: Status.Code) async throws {
        try await Stack.with { stack in
            stack.krw.fail(.withdraw, .status(code))
            let exchange = try await stack.running { client in try await stack.ended("x1", client) }
            #expect(exchange.state == .failed)
            #expect(exchange.path.contains(.withdrawUnknown))
            #expect(stack.krw.outcome("x1/withdraw") == .sealed)
            try await stack.expectBooksInOrder()
        }
    }

    @Test func sameIDSameContentIsOneExchange() async throws {
        try await Stack.with { stack in
            try await stack.running { client in
                let answers = try await withThrowingTaskGroup(of: FXExchange.self) { group in
                    for _ in 0..<20 { group.addTask { try await client.createExchange(Stack.request("x1")) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(answers.allSatisfy { $0.state == .completed })
                #expect(answers.count { !$0.replayed } == 1)
                for other in [Stack.request("x1", cents: 10_001), Stack.request("x1", quote: "q")] {
                    let refusal = await Stack.refusal { try await client.createExchange(other) }
                    #expect(refusal == "EXCHANGE_ID_REUSED")
                }
            }
            #expect(stack.krw.calls(.withdraw) == 1)
            try await stack.expectBooksInOrder()
        }
    }

    @Test func anUnfinishedExchangeIsAnsweredAsItIs() async throws {
        try await Stack.with { stack in
            // Nobody drives: the service does not run.
            let client = stack.client(stack.service())
            let options = CallOptions(timeout: .milliseconds(300))
            let exchange = try await client.createExchange(Stack.request("x1"), options: options)
            #expect(exchange.state == .requested)
            let again = try await client.createExchange(Stack.request("x1"), options: options)
            #expect(again.state == .requested && again.replayed)
        }
    }

    /// The cancel message is sent again until the participant's answer is seen, and each answer counts once.
    @Test func aLostCancelIsSentAgain() async throws {
        try await Stack.with { stack in
            stack.usd.fail(.deposit, .refuse("ACCOUNT_CLOSED"))
            stack.bus.drop("withdrawal-cancels", next: 2)
            let exchange = try await stack.running { client in try await stack.ended("x1", client) }
            #expect(exchange.state == .cancelled)
            let sent = stack.bus.published.filter { $0.topic == "withdrawal-cancels" }
            #expect(sent.count >= 3)
            #expect(Set(sent.map(\.id)).count == sent.count)
            try await stack.expectBooksInOrder()
        }
    }

    /// The answer is lost for good, but the stored outcome tells the same.
    @Test func aLostAnswerIsAskedFor() async throws {
        try await Stack.with { stack in
            stack.usd.fail(.deposit, .refuse("ACCOUNT_CLOSED"))
            stack.bus.drop("withdrawal-cancelled", next: .max)
            let exchange = try await stack.running { client in try await stack.ended("x1", client) }
            #expect(exchange.state == .cancelled)
            #expect(exchange.log.last?.detail == "withdrawal REVERSED, found by asking")
            try await stack.expectBooksInOrder()
        }
    }

    @Test func eventsDeliveredTwiceChangeNothing() async throws {
        try await Stack.with { stack in
            stack.usd.fail(.deposit, .refuse("ACCOUNT_CLOSED"))
            try await stack.running { client in
                let first = try await stack.ended("x1", client)
                for event in stack.bus.published { try await stack.bus.publish([event]) }
                // Something that follows shows that the repetitions were consumed.
                stack.usd.fail(.deposit, .refuse("ACCOUNT_CLOSED"))
                #expect(try await client.createExchange(Stack.request("x2")).state == .cancelled)
                #expect(try await client.getExchange(FXGetExchangeRequest(exchangeID: "x1")).log == first.log)
            }
            try await stack.expectBooksInOrder()
        }
    }
}

extension Stack {
    /// The reason of the refusal that `body` throws, or what came instead.
    static func refusal<Result>(_ body: () async throws -> Result) async -> String {
        do {
            return "no refusal but \(try await body())"
        } catch {
            return Status(describing: error).reason
        }
    }
}
