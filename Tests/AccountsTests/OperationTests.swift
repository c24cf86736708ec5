import Accounts
import Contracts
import Domain
import Postgres
import RPCCore
import Testing

/// Withdrawals, deposits and their keys, one caller at a time.
@Suite struct OperationTests {
    @Test func openingIsRepeatable() async throws {
        try await TestLedger.with { ledger in
            let first = try await ledger.open("A-1", 2000)
            let again = try await ledger.open("A-1", 2000)
            #expect(first == again)
            #expect(first.balance?.minor == 2000 && first.available?.minor == 2000 && first.version == 1)
            await expectRefusal("ACCOUNT_EXISTS", .alreadyExists) { try await ledger.open("A-1", 2001) }
            await expectRefusal("ACCOUNT_EXISTS") { try await ledger.open("A-1", 2000, customer: "C-2") }
            try await ledger.open("A-2", 5, "USD")
            try await ledger.open("A-3")
            #expect(try await ledger.list("C-1").map(\.accountID) == ["A-1", "A-2", "A-3"])
            #expect(try await ledger.list("C-9").isEmpty)
            await expectRefusal("ACCOUNT_UNKNOWN", .notFound) { try await ledger.balance("A-9") }
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func moneyMovesOnceForItsKey() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 2000)
            let first = try await ledger.withdraw("x/withdraw", "A-1", 500)
            #expect(first.outcome == .applied && !first.replayed && first.amount?.minor == 500)
            for _ in 0..<3 {
                let again = try await ledger.withdraw("x/withdraw", "A-1", 500)
                #expect(again.outcome == .applied && again.replayed)
            }
            try await ledger.deposit("y/deposit", "A-1", 30)
            let balance = try await ledger.balance("A-1")
            #expect(balance.balance?.minor == 1530 && balance.version == 3)
            #expect(try await ledger.operation("x/withdraw").accountID == "A-1")
            #expect(ledger.counter("replayed") == 3)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func anotherBodyUnderTheSameKeyIsRefused() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 2000)
            try await ledger.open("A-2", 2000)
            try await ledger.withdraw("k", "A-1", 500)
            await expectRefusal("KEY_REUSED", .alreadyExists) { try await ledger.withdraw("k", "A-1", 501) }
            await expectRefusal("KEY_REUSED") { try await ledger.withdraw("k", "A-2", 500) }
            await expectRefusal("KEY_REUSED") { try await ledger.withdraw("k", "A-1", 500, "USD") }
            await expectRefusal("KEY_REUSED") { try await ledger.withdraw("k", "A-1", 500, purpose: "other") }
            await expectRefusal("KEY_REUSED") { try await ledger.deposit("k", "A-1", 500) }
            await expectRefusal("KEY_REUSED") { try await ledger.hold("k", "A-1", 500) }
            #expect(ledger.counter("key_reused") == 6)
            #expect(try await ledger.balance("A-1").balance?.minor == 1500)
            #expect(try await ledger.balance("A-2").balance?.minor == 2000)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func refusalsAreSticky() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 100)
            try await ledger.open("A-2", 100)
            try await ledger.database.execute(sql: "UPDATE account SET status = 'CLOSED' WHERE id = 'A-2'")
            let refused: [(String, () async throws -> AccountMoneyOperation)] = [
                ("INSUFFICIENT_FUNDS", { try await ledger.withdraw("k1", "A-1", 101) }),
                ("ACCOUNT_UNKNOWN", { try await ledger.withdraw("k2", "A-9", 1) }),
                ("ACCOUNT_UNKNOWN", { try await ledger.deposit("k3", "A-9", 1) }),
                ("CURRENCY_MISMATCH", { try await ledger.withdraw("k4", "A-1", 1, "USD") }),
                ("ACCOUNT_CLOSED", { try await ledger.deposit("k5", "A-2", 1) }),
                ("ACCOUNT_CLOSED", { try await ledger.withdraw("k6", "A-2", 1) }),
            ]
            for (reason, operation) in refused {
                let answer = try await operation()
                #expect(answer.outcome == .refused && answer.reason == reason && !answer.replayed)
            }
            // What would now be possible stays refused under its key.
            try await ledger.deposit("more", "A-1", 1000)
            try await ledger.open("A-9", 1000)
            try await ledger.database.execute(sql: "UPDATE account SET status = 'OPEN' WHERE id = 'A-2'")
            for (reason, operation) in refused {
                let answer = try await operation()
                #expect(answer.outcome == .refused && answer.reason == reason && answer.replayed)
                #expect(try await ledger.resolve(answer.operationKey).outcome == .refused)
            }
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func aSealBeatsALateWithdrawal() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 100)
            await expectRefusal("OPERATION_UNKNOWN", .notFound) { try await ledger.operation("late") }
            let seal = try await ledger.resolve("late")
            #expect(seal.outcome == .sealed && seal.accountID.isEmpty && seal.amount == nil && !seal.replayed)
            #expect(try await ledger.resolve("late").replayed)
            let late = try await ledger.withdraw("late", "A-1", 10)
            #expect(late.outcome == .sealed && late.replayed)
            #expect(try await ledger.balance("A-1").balance?.minor == 100)
            try await ledger.withdraw("early", "A-1", 10)
            #expect(try await ledger.resolve("early").outcome == .applied)
            #expect(ledger.counter("sealed") == 1)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test(
        arguments: [
            (WireMoney(currency: "KRW", minor: 0), "AMOUNT_NOT_POSITIVE"),
            (WireMoney(currency: "KRW", minor: -1), "AMOUNT_NEGATIVE"),
            (WireMoney(currency: "KRW", minor: .min), "AMOUNT_NEGATIVE"),
            (WireMoney(currency: "KRW", minor: .max), "AMOUNT_TOO_LARGE"),
            (WireMoney(currency: "KRW", minor: 1_000_000_000_000_001), "AMOUNT_TOO_LARGE"),
            (WireMoney(currency: "XXX", minor: 1), "CURRENCY_UNKNOWN"),
            (WireMoney(), "CURRENCY_UNKNOWN"),
            (nil, "FIELD_MISSING"),
        ] as [(WireMoney?, String)])
    func malformedAmountsAreNoOperations(_ amount: WireMoney?, _ reason: String) async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 100)
            let calls = ledger.service.accountService
            let request = AccountMoneyOperationRequest(operationKey: "k", accountID: "A-1", amount: amount)
            await expectRefusal(reason, .invalidArgument) { try await calls.withdraw(request, context: .test) }
            await expectRefusal(reason, .invalidArgument) { try await calls.deposit(request, context: .test) }
            let hold = AccountPlaceHoldRequest(holdID: "h", accountID: "A-1", amount: amount, orderID: "o")
            await expectRefusal(reason, .invalidArgument) { try await calls.placeHold(hold, context: .test) }
            #expect(try await ledger.count("SELECT count(*) FROM money_operation") == 1)
        }
    }

    @Test func malformedIDsAreNoOperations() async throws {
        try await TestLedger.with { ledger in
            let long = String(repeating: "k", count: 161)
            for key in ["", long, "a b", "a\u{0}b", "키"] {
                await expectRefusal("ID_MALFORMED", .invalidArgument) { try await ledger.withdraw(key, "A-1", 1) }
                await expectRefusal("ID_MALFORMED", .invalidArgument) { try await ledger.resolve(key) }
            }
            for account in ["", "internal:fx-liquidity/KRW", "A/1", String(repeating: "a", count: 65)] {
                await expectRefusal("ID_MALFORMED", .invalidArgument) { try await ledger.withdraw("k", account, 1) }
                await expectRefusal("ID_MALFORMED", .invalidArgument) { try await ledger.open(account) }
                await expectRefusal("ID_MALFORMED", .invalidArgument) { try await ledger.balance(account) }
            }
            await expectRefusal("PURPOSE_MALFORMED", .invalidArgument) {
                try await ledger.withdraw("k", "A-1", 1, purpose: "a\u{0}")
            }
            await expectRefusal("PURPOSE_MALFORMED", .invalidArgument) {
                try await ledger.withdraw("k", "A-1", 1, purpose: long + long)
            }
            await expectRefusal("CURRENCY_NOT_HELD", .invalidArgument) {
                try await ledger.another { $0.currencies = [.krw] }.open("A-1", 0, "USD")
            }
            let operations = try await ledger.count("SELECT count(*) FROM money_operation")
            #expect(operations == 0)
        }
    }

    @Test func aBalanceNeverLeaves64Bits() async throws {
        var configuration = AccountsConfiguration.testing
        configuration.largestAmount = .max
        try await TestLedger.with(configuration) { ledger in
            try await ledger.open("A-1", .max)
            let refused = try await ledger.deposit("k", "A-1", 1)
            #expect(refused.outcome == .refused && refused.reason == "AMOUNT_OUT_OF_RANGE")
            try await ledger.open("A-2", .max)
            try await ledger.withdraw("k2", "A-1", .max)
            #expect(try await ledger.balance("A-1").balance?.minor == 0)
            try await ledger.hold("h", "A-2", .max)
            try await ledger.capture("h", "all", .max)
            await expectRefusal("INSUFFICIENT_FUNDS") { try await ledger.capture("h", "more", .max) }
        }
    }

    @Test func settingsThatMakeNoSenseStopTheStart() async throws {
        try AccountsConfiguration.krw.validate()
        try AccountsConfiguration.fx.validate()
        let wrong: [(String, (inout AccountsConfiguration) -> Void)] = [
            ("ledger", { $0.ledger = "" }), ("instance", { $0.instance = "" }), ("currencies", { $0.currencies = [] }),
            ("operationTimeout", { $0.operationTimeout = .zero }), ("auditTimeout", { $0.auditTimeout = .zero }),
            ("lockWait", { $0.lockWait = .seconds(-1) }), ("lockAnswerWait", { $0.lockAnswerWait = .zero }),
            ("lockTimeToLive", { $0.lockTimeToLive = $0.operationTimeout }), ("attempts", { $0.attempts = 0 }),
            ("waitersPerAccount", { $0.waitersPerAccount = 0 }), ("largestAmount", { $0.largestAmount = 0 }),
            ("accountsPerCustomer", { $0.accountsPerCustomer = 0 }),
        ]
        for (setting, change) in wrong {
            var configuration = AccountsConfiguration.krw
            change(&configuration)
            let error = #expect(throws: InvalidAccountsConfiguration.self) { try configuration.validate() }
            #expect(error?.setting == setting)
        }
    }
}
