import Contracts
import Postgres
import RPCCore
import TestSupport
import Testing

/// Many callers and several processes at once.
@Suite struct ConcurrencyTests {
    @Test func fiftyCallersWithOneKeyMakeOneEntry() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 2000)
            let processes = [ledger, ledger.another(), ledger.another()]
            let answers = try await withThrowingTaskGroup(of: AccountMoneyOperation.self) { group in
                for caller in 0..<50 {
                    group.addTask { try await processes[caller % 3].withdraw("k", "A-1", 500) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count == 50 && answers.allSatisfy { $0.outcome == .applied })
            #expect(answers.filter { !$0.replayed }.count == 1)
            #expect(try await ledger.balance("A-1").balance?.minor == 1500)
            #expect(try await ledger.count("SELECT count(*) FROM entry WHERE account_id = 'A-1'") == 2)
            try await ledger.expectBooksInOrder()
        }
    }

    /// Without any lock between the processes, the compare-and-set alone keeps the books.
    @Test(arguments: SeededGenerator.seeds(2))
    func randomOperationsOfThreeProcessesKeepTheBooks(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let accounts = ["A-1", "A-2", "A-3"]
        let script = (0..<200).map { step in
            (
                step, accounts.randomElement(using: &random)!, Int.random(in: 0..<5, using: &random),
                Int64.random(in: 1...900, using: &random), Int.random(in: 0..<20, using: &random)
            )
        }
        try await TestLedger.with { ledger in
            let processes = [ledger, ledger.another(), ledger.another()]
            for account in accounts { try await ledger.open(account, 2000) }
            // The sampler looks while they work.
            let done = Counter()
            async let lowest = {
                var lowest = Int64.max
                while done.value == 0 {
                    lowest = min(lowest, try await ledger.count("SELECT min(balance - held) FROM account"))
                }
                return lowest
            }()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (step, account, kind, amount, hold) in script {
                    let process = processes[step % 3]
                    group.addTask {
                        do {
                            switch kind {
                            case 0: try await process.withdraw("k-\(step)", account, amount)
                            case 1: try await process.deposit("k-\(step)", account, amount)
                            case 2: try await process.hold("h-\(hold)", account, amount)
                            case 3: try await process.capture("h-\(hold)", "k-\(step)", amount)
                            default: try await process.release("h-\(hold)")
                            }
                        } catch let refusal as Refusal {
                            // Whatever the random script asks in vain is refused with a reason, never half done.
                            #expect(refusal.certainty == .definitelyNotDone, "\(refusal)")
                            #expect(refusal.reason != "ACCOUNT_CONTENDED")
                        }
                    }
                }
                try await group.waitForAll()
            }
            done.increment()
            #expect(try await lowest >= 0)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func aSealAndItsWithdrawalAtOnceEndInOneOutcome() async throws {
        try await TestLedger.with { ledger in
            let other = ledger.another()
            try await ledger.open("A-1", 100_000)
            var sealed: Int64 = 0
            for round in 0..<40 {
                let key = "k-\(round)"
                async let withdrawal = ledger.withdraw(key, "A-1", 100)
                async let seal = other.resolve(key)
                let (first, second) = try await (withdrawal, seal)
                #expect(first.outcome == second.outcome)
                #expect(first.outcome == .applied || first.outcome == .sealed)
                if first.outcome == .sealed { sealed += 1 }
            }
            #expect(try await ledger.balance("A-1").balance?.minor == 100_000 - 100 * (40 - sealed))
            try await ledger.expectBooksInOrder()
        }
    }

    /// A history of all kinds of operations, then all of it again, twice: the same answers, and not a row more.
    @Test(arguments: SeededGenerator.seeds(2))
    func everythingAgainTwiceChangesNothing(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 3000)
            var history: [(call: () async throws -> String, answer: String)] = []
            func record(_ call: @escaping () async throws -> String) async {
                // What stores nothing may be answered otherwise later: a refused hold, the capture of an unknown one.
                let answer = await text(of: call)
                if answer != "not stored" { history.append((call, answer)) }
            }
            for step in 0..<80 {
                let amount = Int64.random(in: 1...1200, using: &random)
                let hold = "h-\(Int.random(in: 0..<15, using: &random))"
                switch Int.random(in: 0..<6, using: &random) {
                case 0: await record { "\(try await ledger.withdraw("k-\(step)", "A-1", amount).outcome)" }
                case 1: await record { "\(try await ledger.deposit("k-\(step)", "A-1", amount).outcome)" }
                case 2:
                    await record {
                        try await unlessRefused("INSUFFICIENT_FUNDS") {
                            "\(try await ledger.hold(hold, "A-1", amount).hold?.amount?.minor ?? 0)"
                        }
                    }
                case 3:
                    await record {
                        try await unlessRefused("HOLD_UNKNOWN") {
                            "\(try await ledger.capture(hold, "k-\(step)", amount).hold?.holdID ?? "")"
                        }
                    }
                case 4: await record { "\(try await ledger.release(hold).hold?.holdID ?? "")" }
                default: await record { "\(try await ledger.resolve("k-\(step / 2)").outcome)" }
                }
            }
            let rows = try await snapshot(ledger)
            for _ in 0..<2 {
                for (call, answer) in history { #expect(await text(of: call) == answer) }
            }
            #expect(try await snapshot(ledger) == rows)
            try await ledger.expectBooksInOrder()
        }
    }

    private func unlessRefused(_ reason: String, _ call: () async throws -> String) async throws -> String {
        do {
            return try await call()
        } catch let refusal as Refusal where refusal.reason == reason {
            return "not stored"
        }
    }

    private func text(of call: () async throws -> String) async -> String {
        do {
            return try await call()
        } catch let refusal as Refusal {
            return refusal.reason
        } catch {
            return "\(error)"
        }
    }

    /// Every row of the ledger as one text.
    private func snapshot(_ ledger: TestLedger) async throws -> [String] {
        var rows: [String] = []
        for table in ["account", "entry", "journal", "hold", "money_operation"] {
            rows += try await ledger.database.query(sql: "SELECT t::text FROM \(table) AS t ORDER BY 1") {
                try $0.string(0)
            }
        }
        return rows
    }
}
