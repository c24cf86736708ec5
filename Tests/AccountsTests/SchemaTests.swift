import Contracts
import Postgres
import RPCCore
import TestSupport
import Testing

/// What the database refuses by itself, whatever the code says.
@Suite struct SchemaTests {
    /// Runs `sql` on a ledger with one account of 1,000 won, one hold of 400 and one withdrawal of 100.
    private func refusal(of sql: String) async throws -> PostgresError? {
        var refusal: PostgresError?
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 1000)
            try await ledger.hold("h", "A-1", 400)
            try await ledger.withdraw("w", "A-1", 100)
            do {
                try await ledger.database.execute(sql: sql)
            } catch let error as PostgresError {
                refusal = error
            }
            try await ledger.expectBooksInOrder()
        }
        return refusal
    }

    @Test(arguments: [
        ("UPDATE account SET balance = 399", "account_available_not_negative"),
        ("UPDATE account SET held = -1", "account_held_check"),
        ("UPDATE account SET held = 901", "account_available_not_negative"),
        ("UPDATE hold SET captured = 1", "hold_adds_up"),
        ("UPDATE hold SET state = 'CLOSED'", "hold_closed_has_nothing_left"),
        ("UPDATE hold SET captured = 500, remaining = -100", "hold_remaining_check"),
        (
            "INSERT INTO hold (id, account_id, order_id, amount, remaining) VALUES ('g', 'A-1', 'h', 1, 1)",
            "hold_order_key"
        ),
        (
            "INSERT INTO entry (account_id, version, journal_id, currency, amount) "
                + "VALUES ('internal:external/KRW', 99, 1, 'KRW', 5)",
            "entry_sums_to_zero"
        ),
        (
            "INSERT INTO entry (account_id, version, journal_id, currency, amount) "
                + "VALUES ('internal:pocket/KRW', 99, 1, 'KRW', 5)",
            "entry_of_customer_or_of_known_internal_account"
        ),
        (
            "INSERT INTO entry (account_id, version, journal_id, currency, amount, balance_after, held_after) "
                + "VALUES ('A-2', 1, 1, 'KRW', 0, 0, 0)",
            "entry_account_currency_fkey"
        ),
        (
            "INSERT INTO entry (account_id, version, journal_id, currency, amount, balance_after, held_after) "
                + "VALUES ('A-1', 9, 1, 'USD', 0, 0, 0)",
            "entry_account_currency_fkey"
        ),
        (
            "INSERT INTO journal (operation_key, kind, purpose) VALUES ('w', 'APPLY', 'again')",
            "journal_operation_key_kind_key"
        ),
        (
            "INSERT INTO journal (operation_key, kind, purpose) VALUES ('nothing', 'APPLY', '')",
            "journal_operation_key_fkey"
        ),
        ("UPDATE money_operation SET outcome = 'SEALED'", "money_operation_sealed_knows_nothing"),
        ("UPDATE money_operation SET outcome = 'REFUSED'", "money_operation_refused_says_why"),
        (
            "UPDATE money_operation SET outcome = 'REVERSED' WHERE key = 'h'",
            "money_operation_only_withdrawals_are_reversed"
        ),
        ("INSERT INTO money_operation (key, outcome) VALUES ('w', 'SEALED')", "money_operation_pkey"),
    ])
    func constraintsHold(_ sql: String, _ constraint: String) async throws {
        let refusal = try await refusal(of: sql)
        #expect(refusal?.constraint == constraint, "\(String(describing: refusal))")
    }

    @Test(arguments: ["UPDATE entry SET amount = 0", "DELETE FROM entry", "TRUNCATE entry", "DELETE FROM journal"])
    func entriesAreForEver(_ sql: String) async throws {
        let refusal = try #require(try await refusal(of: sql))
        #expect(refusal.sqlState?.rawValue == "23001")
    }

    /// A control that never fails proves nothing: the trial balance must see what is wrong.
    @Test func theTrialBalanceSeesWhatIsWrong() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 1000)
            try await ledger.open("A-2", 1000)
            try await ledger.hold("h", "A-2", 400)
            try await ledger.capture("h", "c", 100)
            try await ledger.expectBooksInOrder()
            try await ledger.database.execute(sql: "UPDATE account SET balance = balance + 1 WHERE id = 'A-1'")
            #expect(try await ledger.trialBalance().first?.accountsOutOfStep == 1)
            try await ledger.database.execute(sql: "UPDATE account SET balance = balance - 1 WHERE id = 'A-1'")
            try await ledger.database.execute(sql: "UPDATE account SET version = version + 1 WHERE id = 'A-1'")
            #expect(try await ledger.trialBalance().first?.accountsOutOfStep == 1)
            try await ledger.database.execute(sql: "UPDATE account SET version = version - 1 WHERE id = 'A-1'")
            try await ledger.database.execute(sql: "UPDATE account SET held = held - 1 WHERE id = 'A-2'")
            #expect(try await ledger.trialBalance().first?.accountsOutOfStep == 1)
            try await ledger.database.execute(sql: "UPDATE account SET held = held + 1 WHERE id = 'A-2'")
            try await ledger.database.execute(sql: "UPDATE money_operation SET amount = 99 WHERE key = 'c'")
            #expect(try await ledger.trialBalance().first?.holdsOutOfStep == 1)
            try await ledger.database.execute(sql: "UPDATE money_operation SET amount = 100 WHERE key = 'c'")
            // A line without its other side, past the trigger.
            try await ledger.database.execute(sql: "ALTER TABLE entry DISABLE TRIGGER entry_sums_to_zero")
            try await ledger.database.execute(
                sql: "INSERT INTO entry (account_id, version, journal_id, currency, amount) "
                    + "VALUES ('internal:external/KRW', 99, 1, 'KRW', 5)")
            #expect(try await ledger.trialBalance().first?.sumOfEntries == 5)
        }
    }
}
