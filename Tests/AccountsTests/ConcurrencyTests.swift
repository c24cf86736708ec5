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
}
