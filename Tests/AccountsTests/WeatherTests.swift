import Accounts
import Contracts
import Domain
import Limits
import Postgres
import RPC
import RPCCore
import ServiceKit
import TestSupport
import Testing

/// Queues, deadlines, lost connections and a lost database.
@Suite struct WeatherTests {
    @Test func theQueueOfAnAccountIsBounded() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 1000)
            try await ledger.open("A-2", 1000)
            let (pauses, isInside, mayGo) = (Counter(), Barrier(2), Barrier(2))
            let process = ledger.another {
                $0.waitersPerAccount = 1
                $0.beforeChange = { account in
                    guard account.text == "A-1", pauses.increment() == 1 else { return }
                    await isInside.arrive()
                    await mayGo.arrive()
                }
            }
            async let inside = process.withdraw("k-1", "A-1", 1)
            await isInside.arrive()
            try await withThrowingTaskGroup(of: Refusal?.self) { group in
                for key in ["k-2", "k-3"] {
                    group.addTask {
                        do {
                            try await process.withdraw(key, "A-1", 1)
                            return nil
                        } catch let refusal as Refusal {
                            return refusal
                        }
                    }
                }
                // One waits, the other is refused at once.
                let first = try #require(await group.next())
                let refusal = try #require(first)
                #expect(refusal.reason == "ACCOUNT_BUSY" && refusal.code == .resourceExhausted)
                #expect(refusal.certainty == .definitelyNotDone && refusal.retry == .sameIDAfter)
                // Other accounts do not notice.
                try await process.withdraw("other", "A-2", 1)
                await mayGo.arrive()
                let waiter = try #require(await group.next())
                #expect(waiter == nil)
            }
            #expect(try await inside.outcome == .applied)
            #expect(try await ledger.balance("A-1").balance?.minor == 998)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func waitingEndsWithTheDeadlineAndWithCancellation() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 1000)
            let (pauses, isInside, mayGo) = (Counter(), Barrier(2), Barrier(2))
            let process = ledger.another {
                $0.beforeChange = { _ in
                    guard pauses.increment() == 1 else { return }
                    await isInside.arrive()
                    await mayGo.arrive()
                }
            }
            async let first = process.withdraw("k-1", "A-1", 1)
            await isInside.arrive()
            await expectRefusal("ACCOUNT_BUSY", .deadlineExceeded) {
                try await Deadline.within(.milliseconds(20)) { try await process.withdraw("k-2", "A-1", 1) }
            }
            let cancelled = Task { try await process.withdraw("k-3", "A-1", 1) }
            cancelled.cancel()
            await #expect(throws: (any Error).self) { try await cancelled.value }
            await mayGo.arrive()
            #expect(try await first.outcome == .applied)
            // Neither was done; both keys are free.
            for key in ["k-2", "k-3"] {
                await expectRefusal("OPERATION_UNKNOWN") { try await ledger.operation(key) }
            }
            #expect(try await process.withdraw("k-4", "A-1", 1).outcome == .applied)
        }
    }

    /// The connection breaks between reading and writing: the operation looks again and ends once.
    @Test func aLostConnectionIsLookedUpAndNotRepeatedBlindly() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 1000)
            let cuts = Counter()
            let process = ledger.another {
                $0.beforeChange = { _ in
                    guard cuts.increment() == 1 else { return }
                    _ = try? await ledger.database.execute(
                        sql: """
                            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                             WHERE datname = current_database() AND pid <> pg_backend_pid()
                            """)
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for key in ["k-1", "k-2", "k-3", "k-4"] {
                    group.addTask {
                        for _ in 0..<20 {
                            do {
                                let answer = try await process.withdraw(key, "A-1", 100)
                                #expect(answer.outcome == .applied)
                                return
                            } catch let refusal as Refusal where refusal.code == .unavailable {
                                continue  // As the advice says: the same key again.
                            }
                        }
                        Issue.record("\(key) found no connection")
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await ledger.balance("A-1").balance?.minor == 600)
            try await ledger.expectBooksInOrder()
        }
    }

    /// The connection breaks while the change is on its way: its fate is unknown, and the key tells it.
    @Test func aChangeOfUnknownFateIsLookedUp() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 1000)
            try await withThrowingTaskGroup(of: AccountMoneyOperation.self) { group in
                try await ledger.database.withTransaction { blocker in
                    try await blocker.execute(sql: "LOCK TABLE journal IN EXCLUSIVE MODE")
                    group.addTask { try await ledger.withdraw("k", "A-1", 100) }
                    // Reading is done when writing waits for the lock.
                    var cut: Int64 = 0
                    while cut == 0 {
                        cut = try await ledger.count(
                            """
                            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                             WHERE datname = current_database() AND wait_event_type = 'Lock'
                            """)
                    }
                }
                let answer = try #require(await group.next())
                #expect(answer.outcome == .applied)
            }
            #expect(try await ledger.balance("A-1").balance?.minor == 900)
            #expect(try await ledger.withdraw("k", "A-1", 100).replayed)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func aLostDatabaseIsSaidAndComesBack() async throws {
        try await TestLedger.withServer { server, ledger, impatient in
            try await ledger.open("A-1", 1000)
            try await server.stop(.fast)
            for _ in 0..<3 {
                do {
                    try await impatient.withdraw("k", "A-1", 100)
                    Issue.record("nothing can be withdrawn without a database")
                } catch let refusal as Refusal {
                    #expect(["STORE_UNAVAILABLE", "STORE_TOO_SLOW"].contains(refusal.reason), "\(refusal)")
                    #expect(refusal.certainty == .definitelyNotDone && refusal.retry == .sameIDAfter)
                }
            }
            try await server.restart()
            #expect(try await ledger.withdraw("k", "A-1", 100).outcome == .applied)
            #expect(try await ledger.balance("A-1").balance?.minor == 900)
        }
    }

    /// What a caller on the network sees: codes, reasons and context in the status.
    @Test func refusalsCrossTheNetworkWithTheirDetails() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 100)
            let registry = ServiceRegistry(ledger.service.rpcServices)
            let client = AccountServiceClient(InProcessChannel(services: registry, group: TestLoops.group))
            #expect(try await client.getBalance(AccountGetBalanceRequest(accountID: "A-1")).balance?.minor == 100)
            do {
                _ = try await client.placeHold(
                    AccountPlaceHoldRequest(
                        holdID: "h", accountID: "A-1", amount: WireMoney(currency: "KRW", minor: 250), orderID: "o"))
                Issue.record("a hold above the balance was placed")
            } catch let status as Status {
                #expect(status.code == .failedPrecondition && status.reason == "INSUFFICIENT_FUNDS")
                #expect(status.outcome == .definitelyNotDone)
                #expect(WireErrorDetail(status)?.context["available"] == "100")
                #expect(WireErrorDetail(status)?.context["wanted"] == "250")
            }
        }
    }
}
