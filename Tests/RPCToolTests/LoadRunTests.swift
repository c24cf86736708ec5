import EventLoop
import Protobuf
import RPC
import RPCCore
import Testing

@testable import RPCTool

@Suite struct LoadRunTests {
    private static func run(
        _ plan: LoadRun.Plan, _ name: String = "Find", _ payload: String = #"{"name":"{{n}}"}"#, connections: Int = 2
    ) async throws -> LoadTally {
        try await ShopFixture.run { shop in
            let method = CallableMethod(
                service: "test.tool.Shop", schema: try #require(Test_Tool_ShopMethods.schema.method(named: name)))
            let channels = (0..<connections).map { _ in shop.connection() }
            let loops = shop.group.loops
            let load = LoadRun(
                plan, method, try LoadPayload(payload, headers: [], MessageText(), for: method.schema),
                over: channels.enumerated().map { LoadRun.Connection($1, on: loops[$0 % loops.count]) })
            let outcome: Result<LoadTally, any Error>
            do { outcome = .success(try await load.run()) } catch { outcome = .failure(error) }
            for channel in channels { await channel.shutDown() }
            return try outcome.get()
        }
    }

    @Test func aClosedLoopMakesAsManyCallsAsItIsTold() async throws {
        var plan = LoadRun.Plan(.closed(callers: 5, duration: .seconds(60)))
        plan.requests = 500
        let tally = try await Self.run(plan)
        #expect(tally.offered == 500 && tally.ended == 500 && tally.succeeded == 500 && tally.dropped == 0)
        #expect(tally.latencies.count == 500 && tally.failureLatencies.count == 0 && tally.inFlight == 0)
        #expect(tally.sentMessages == 500 && tally.receivedMessages == 500)
    }

    @Test func aClosedLoopEndsWithItsTime() async throws {
        var duration = Duration.milliseconds(100)
        var tally = LoadTally()
        // A machine that has no time for even one call is given twice as long.
        while tally.ended == 0 {
            duration *= 2
            tally = try await Self.run(LoadRun.Plan(.closed(callers: 2, duration: duration)))
        }
        #expect(tally.succeeded == tally.ended)
        let longest = Duration.microseconds(try #require(tally.latencies.maximumMicroseconds) + 1)
        #expect(tally.lastEnd < duration + longest, "the last call began within the time")
    }

    @Test func anOpenLoopMakesTheCallsOfItsProfile() async throws {
        var plan = LoadRun.Plan(.open(.constant(1000, for: .milliseconds(300)), limit: 1000))
        plan.warmUp = .milliseconds(50)
        let tally = try await Self.run(plan)
        #expect(tally.offered == 300 && tally.ended + tally.dropped == 300)
        #expect(tally.succeeded == tally.ended)
        #expect(tally.lastEnd >= .milliseconds(298))
    }

    /// Calls that are due while others never end are dropped, and those that began time out: all of it is counted.
    @Test func anOpenLoopDropsWhatItMayNotBegin() async throws {
        var plan = LoadRun.Plan(.open(.constant(1000, for: .milliseconds(100)), limit: 3))
        plan.timeout = .seconds(2)
        let tally = try await Self.run(plan, "Find", #"{"name":"hang"}"#)
        #expect(tally.offered == 100 && tally.dropped == 97)
        #expect(tally.statuses == [.deadlineExceeded: 3])
        #expect(tally.failureLatencies.count == 3 && tally.latencies.count == 0)
    }

    /// The server answers the first call when the second comes, which is due 100 ms later.
    @Test func latencyCountsFromWhenACallWasDue() async throws {
        let plan = LoadRun.Plan(.open(.constant(10, for: .milliseconds(200)), limit: 10))
        let tally = try await Self.run(plan, "Find", #"{"name":"pair"}"#, connections: 1)
        #expect(tally.succeeded == 2)
        #expect(try #require(tally.latencies.maximumMicroseconds) >= 100_000)
    }

    @Test func failuresAreCountedByStatus() async throws {
        var plan = LoadRun.Plan(.closed(callers: 1, duration: .seconds(60)))
        plan.requests = 4
        let tally = try await Self.run(plan, "Find", #"{"failWith":5} {"name":"x"} {"failWith":9}{"failWith":5}"#)
        #expect(tally.statuses == [.ok: 1, .notFound: 2, .failedPrecondition: 1])
        #expect(tally.examples[.notFound] == "failed as asked")
        let figures = LoadFigures(tally, planned: .zero)
        #expect(figures.statuses == ["OK": 1, "NOT_FOUND": 2, "FAILED_PRECONDITION": 1])
        #expect(figures.latency.count == 1 && figures.failureLatency.count == 3)
    }

    @Test(arguments: [("List", #"{"count":10}"#, 1, 10), ("Sum", "{}{}{}", 3, 1), ("Chat", "{}{}", 2, 2)])
    func messagesOfStreamsAreCounted(_ name: String, _ payload: String, _ sent: Int, _ received: Int) async throws {
        var plan = LoadRun.Plan(.closed(callers: 2, duration: .seconds(60)))
        plan.requests = 20
        let tally = try await Self.run(plan, name, payload)
        #expect(tally.succeeded == 20)
        #expect(tally.sentMessages == 20 * sent && tally.receivedMessages == 20 * received)
    }

    /// Call 0 sends 0; call 1 sends more than an int32 holds.
    @Test func aRequestThatCannotBeMadeEndsTheLoad() async throws {
        let plan = LoadRun.Plan(.closed(callers: 1, duration: .seconds(60)))
        let failure = await #expect(throws: ToolFailure.self) {
            try await Self.run(plan, "List", #"{"count":"{{n}}0000000000"}"#)
        }
        #expect(failure?.exitCode == 64)
    }

    @Test func figuresAgreeWithEachOther() {
        var tally = LoadTally()
        for value in 1...1000 {
            let isBegun = tally.begin(isMeasured: true, limit: 10)
            #expect(isBegun)
            tally.end(
                .init(
                    latency: .microseconds(value), end: .milliseconds(value), sentMessages: 1, receivedMessages: 2,
                    isMeasured: true))
        }
        let figures = LoadFigures(tally, planned: .milliseconds(500))
        #expect(figures.seconds == 1 && figures.callsPerSecond == 1000 && figures.receivedMessagesPerSecond == 2000)
        #expect(figures.latency.meanMicroseconds == 500 && figures.latency.minimumMicroseconds == 1)
        #expect(figures.latency.histogram.map(\.count).reduce(0, +) == figures.latency.count)
        #expect(figures.text.contains("mean 500 µs, min 1 µs"))
        let (first, second) = (tally.look(), tally.look())
        #expect(first.latencies.count == 1000 && second.latencies.count == 0)
    }
}
