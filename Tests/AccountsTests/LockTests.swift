import Accounts
import Contracts
import EventBus
import Limits
import Postgres
import RPCCore
import Redis
import ServiceKit
import TestSupport
import Testing

/// The locks of accounts, and what keeps the books when a lock fails.
@Suite struct LockTests {
    /// Runs `body` with a client of the server that all tests share; ledgers have names of their own.
    private func withRedis(_ body: (RedisClient) async throws -> Void) async throws {
        let client = RedisClient(
            endpoint: .unix(path: try await PrivateServers.redis().socketPath), group: TestLoops.group)
        do {
            try await body(client)
            await client.shutDown()
        } catch {
            await client.shutDown()
            throw error
        }
    }

    private func configuration() -> AccountsConfiguration {
        var configuration = AccountsConfiguration.testing
        configuration.ledger = "test-\(UInt64.random(in: .min ... .max))"
        configuration.lockAnswerWait = .seconds(5)
        return configuration
    }

    /// Transaction 1 reads 2,000 won, loses its lock by time-out, and transaction 2 withdraws 500 in peace. Transaction
    /// 1's withdrawal of 2,000 must fail, and the balance be 1,500.
    @Test func aWithdrawalWhoseLockRanOutLosesNoUpdate() async throws {
        try await withRedis { redis in
            try await TestLedger.with(configuration(), redis: redis) { ledger in
                try await ledger.open("A-1", 2000)
                let (pauses, hasRead, mayWrite) = (Counter(), Barrier(2), Barrier(2))
                let first = ledger.another {
                    $0.lockTimeToLive = .milliseconds(50)
                    $0.beforeChange = { _ in
                        guard pauses.increment() == 1 else { return }
                        await hasRead.arrive()
                        await mayWrite.arrive()
                    }
                }
                let second = ledger.another { $0.lockWait = .seconds(20) }
                async let large = first.withdraw("t1", "A-1", 2000)
                await hasRead.arrive()
                #expect(try await second.withdraw("t2", "A-1", 500).outcome == .applied)
                #expect(second.counter("lock_wait_expired") == 0 && second.counter("cas_saved") == 0)
                await mayWrite.arrive()
                let refused = try await large
                #expect(refused.outcome == .refused && refused.reason == "INSUFFICIENT_FUNDS")
                #expect(try await ledger.balance("A-1").balance?.minor == 1500)
                // On a busy machine the second try may lose its short lock, too.
                #expect(first.counter("cas_saved") == 1 && first.counter("lock_lost") >= 1)
                try await ledger.expectBooksInOrder()
            }
        }
    }

    /// The same with a hold, a capture and a deposit as transaction 1.
    @Test(arguments: ["hold", "capture", "deposit"])
    func otherOperationsWhoseLockRanOutLoseNoUpdate(_ kind: String) async throws {
        try await withRedis { redis in
            try await TestLedger.with(configuration(), redis: redis) { ledger in
                try await ledger.open("A-1", 2000)
                try await ledger.hold("h-0", "A-1", 100)
                let (pauses, hasRead, mayWrite) = (Counter(), Barrier(2), Barrier(2))
                let first = ledger.another {
                    $0.lockTimeToLive = .milliseconds(50)
                    $0.beforeChange = { _ in
                        guard pauses.increment() == 1 else { return }
                        await hasRead.arrive()
                        await mayWrite.arrive()
                    }
                }
                let second = ledger.another { $0.lockWait = .seconds(20) }
                async let slow: Void = {
                    switch kind {
                    case "hold":
                        await expectRefusal("INSUFFICIENT_FUNDS") { try await first.hold("h-1", "A-1", 1900) }
                    case "capture":
                        await expectRefusal("INSUFFICIENT_FUNDS") { try await first.capture("h-0", "c", 2000) }
                    default:
                        let deposit = try await first.deposit("d", "A-1", 1)
                        #expect(deposit.outcome == .applied)
                    }
                }()
                await hasRead.arrive()
                try await second.withdraw("t2", "A-1", 500)
                await mayWrite.arrive()
                try await slow
                #expect(first.counter("cas_saved") == 1)
                #expect(try await ledger.balance("A-1").balance?.minor == (kind == "deposit" ? 1501 : 1500))
                try await ledger.expectBooksInOrder()
            }
        }
    }

    /// I21: every lock runs out before its holder writes. No update is lost, and the compare-and-set was really needed.
    @Test func locksThatAlwaysRunOutLoseNoUpdate() async throws {
        try await withRedis { redis in
            let configuration = configuration()
            try await TestLedger.with(configuration, redis: redis) { ledger in
                try await ledger.open("A-1", 100_000)
                let processes = (0..<3).map { _ in
                    ledger.another {
                        $0.lockTimeToLive = .milliseconds(5)
                        $0.lockWait = .seconds(20)
                        $0.attempts = 200
                        $0.beforeChange = { account in
                            // Until the holder's lock is gone, or another's has taken its place.
                            let key = RedisArgument.text("lk:{account:\(configuration.ledger):\(account)}")
                            guard let mine = try? await redis.command(["GET", key]).text else { return }
                            while try! await redis.command(["GET", key]).text == mine {}
                        }
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for step in 0..<45 {
                        group.addTask { try await processes[step % 3].withdraw("k-\(step)", "A-1", 100) }
                    }
                    try await group.waitForAll()
                }
                #expect(try await ledger.balance("A-1").balance?.minor == 100_000 - 4500)
                #expect(processes.reduce(0) { $0 + $1.counter("cas_saved") } > 0)
                try await ledger.expectBooksInOrder()
            }
        }
    }

    @Test func locksKeepProcessesFromLosingRaces() async throws {
        try await withRedis { redis in
            try await TestLedger.with(configuration(), redis: redis) { ledger in
                try await ledger.open("A-1", 100_000)
                let processes = (0..<3).map { _ in
                    ledger.another {
                        $0.lockTimeToLive = .seconds(30)
                        $0.lockWait = .seconds(20)
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for step in 0..<60 {
                        group.addTask { try await processes[step % 3].withdraw("k-\(step)", "A-1", 100) }
                    }
                    try await group.waitForAll()
                }
                for name in ["cas_saved", "cas_retries", "lock_unavailable", "lock_wait_expired", "lock_lost"] {
                    #expect(processes.reduce(0) { $0 + $1.counter(name) } == 0, "\(name)")
                }
                try await ledger.expectBooksInOrder()
            }
        }
    }

    @Test func withoutRedisTheLedgerGoesOn() async throws {
        let server = try await PrivateRedis.start()
        let redis = RedisClient(endpoint: .unix(path: server.socketPath), group: TestLoops.group)
        try await TestLedger.with(configuration(), redis: redis) { ledger in
            try await ledger.open("A-1", 100_000)
            try await ledger.withdraw("before", "A-1", 1)
            #expect(ledger.counter("lock_unavailable") == 0)
            try await server.stop(.crash)
            let processes = [ledger, ledger.another(), ledger.another()]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for step in 0..<30 {
                    group.addTask { try await processes[step % 3].withdraw("k-\(step)", "A-1", 100) }
                }
                try await group.waitForAll()
            }
            #expect(processes.reduce(0) { $0 + $1.counter("lock_unavailable") } >= 30)
            #expect(processes.reduce(0) { $0 + $1.counter("cas_saved") } == 0)
            #expect(try await ledger.balance("A-1").balance?.minor == 100_000 - 1 - 3000)
            try await ledger.expectBooksInOrder()
        }
        await redis.shutDown()
    }

    /// A server that does not answer costs the first operation its time-out, and those behind it nothing.
    @Test func aSilentRedisIsLeftAlone() async throws {
        let server = try await PrivateRedis.start()
        let redis = RedisClient(endpoint: .unix(path: server.socketPath), group: TestLoops.group)
        var configuration = configuration()
        configuration.lockAnswerWait = .milliseconds(50)
        try await TestLedger.with(configuration, redis: redis) { ledger in
            try await ledger.open("A-1", 1000)
            _ = try await redis.command(["CLIENT", "PAUSE", "600000", "ALL"])
            for step in 0..<5 { try await ledger.withdraw("k-\(step)", "A-1", 100) }
            #expect(ledger.counter("lock_unavailable") == 5)
            #expect(try await ledger.balance("A-1").balance?.minor == 500)
        }
        try await server.stop(.crash)
        await redis.shutDown()
    }
}
