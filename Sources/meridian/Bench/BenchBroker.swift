import ArgumentParser
import Contracts
import Domain
import EventLoop
import Foundation
import LocalServers
import Processes
import Protobuf
import RPC
import RPCCore
import RPCTool

/// `meridian bench broker`: how many orders the mock broker takes, and how fast.
struct BenchBroker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Place orders at a mock broker without faults; print rates, latencies and what they cost.",
        discussion: """
            Starts `meridian mock-broker` with a journal on disk as a process of its own and ends it afterwards, or places at
            --at ADDRESS. Each order is a market order for one share under a new id: it is accepted and filled, and both are
            on disk before the answer. With --rate the loop is open: orders begin by the clock, however slow the answers
            are, and latency counts from the moment that was due. --closed places the next order of each caller when the
            last was answered. One second of the same load comes first, unmeasured. Ends with 1 when an order failed, or
            one that was answered is not in the journal.

            Measure a release build: swift build -c release --product meridian

            EXAMPLES
              meridian bench broker --rate 1000 --seconds 30
              meridian bench broker --closed --callers 256 --connections 4
              meridian bench broker --rate 500 --at http://127.0.0.1:7460 --json
            """)

    @Option(name: .long, help: "Orders per second, 1 to 100000.") var rate = 1000
    @Option(name: .long, help: "How long orders are begun, 1 to 3600.") var seconds = 10
    @Option(name: .long, help: "Connections, 1 to 64.") var connections = 4
    @Flag(name: .long, help: "A closed loop instead of the rate.") var closed = false
    @Option(name: .long, help: "Callers of the closed loop, 1 to 10000.") var callers = 64
    @Option(name: .long, help: "Event loops of the broker, 1 to 64.") var loops = 1
    @Option(
        name: .long, help: "The folder of the journal; the system's for temporary files if missing.",
        completion: .directory)
    var folder: String?
    @Option(name: .customLong("at"), help: "Place at this broker, instead of starting one.") var at: String?
    @Flag(name: .long, help: "Print the report as one JSON object.") var json = false
    @OptionGroup(title: "Server") var server: ServerOptions

    func validate() throws {
        guard (1...100_000).contains(rate) else { throw ValidationError("--rate goes from 1 to 100000.") }
        guard (1...3600).contains(seconds) else { throw ValidationError("--seconds goes from 1 to 3600.") }
        guard (1...64).contains(connections) else { throw ValidationError("--connections goes from 1 to 64.") }
        guard (1...10_000).contains(callers) else { throw ValidationError("--callers goes from 1 to 10000.") }
        guard (1...64).contains(loops) else { throw ValidationError("--loops goes from 1 to 64.") }
        if let at { guard ServerAddress(at) != nil else { throw ValidationError("\(at) is no address.") } }
    }

    func run() async throws {
        try await Terminal.run {
            let report = try await at == nil ? measureOwn() : measure(at ?? "", nil)
            say(json ? try report.json() : report.text)
            guard report.isGood else { throw ToolFailure.other(report.complaint) }
        }
    }

    private func measureOwn() async throws -> BrokerReport {
        let journal = "\(folder ?? FileManager.default.temporaryDirectory.path)/bench-broker-\(getpid()).journal"
        defer { try? FileManager.default.removeItem(atPath: journal) }
        let child = try await BlockingPool.shared.run {
            Result { try MockBrokerChild(["--journal", journal, "--loops", "\(loops)"]) }
        }.get()
        let outcome: Result<BrokerReport, any Error>
        do {
            outcome = .success(try await measure("http://\(child.addresses.broker)", child))
        } catch {
            outcome = .failure(error)
        }
        _ = try await BlockingPool.shared.run { child.stop() }
        var report = try outcome.get()
        report.cost?.count(try JournalCount(path: journal))
        return report
    }

    private func measure(_ target: String, _ child: MockBrokerChild?) async throws -> BrokerReport {
        guard let address = ServerAddress(target) else { throw ToolFailure.invalid("\(target) is no address.") }
        let settings = try server.settings(for: address)
        let loadBefore = Machine.load()
        let group = try EventLoopGroup(name: "load", count: 1)
        let waiting = closed ? callers : Self.outstandingLimit
        let channels = (0..<connections).map { _ in settings.channel(group, waitingCalls: waiting) }
        let method = CallableMethod(
            service: BrokerServiceMethods.schema.fullName, schema: BrokerServiceMethods.schema.methods[0])
        let load = LoadRun(
            plan, method, try payload(for: method.schema),
            over: channels.map { LoadRun.Connection($0, on: group.loops[0]) })
        let date = Date.now
        let clock = try child.map { try ProcessorClock(process: $0.process.identifier) }
        let (start, cpu) = (ContinuousClock.now, try clock?.read())
        let outcome: Result<LoadTally, any Error>
        do { outcome = .success(try await load.run()) } catch { outcome = .failure(error) }
        let lasted = start.duration(to: .now)
        let used = try clock?.read()
        for channel in channels { await channel.shutDown() }
        group.shutDown()
        let home = ProcessInfo.processInfo.environment["MERIDIAN_HOME"] ?? FileManager.default.currentDirectoryPath
        return BrokerReport(
            date: date.formatted(.iso8601), machine: .this(home: home), loadBefore: loadBefore, target: target,
            arrivals: closed ? "closed loop, \(callers) callers" : "open loop, \(rate) orders/s",
            connections: connections,
            figures: LoadFigures(try outcome.get(), planned: .seconds(seconds)),
            cost: used.flatMap { used in cpu.map { BrokerReport.Cost(processor: used - $0, lasted: lasted) } })
    }

    // MARK: The load

    /// Orders under way at most in an open loop; more are dropped, and counted.
    private static let outstandingLimit = 10_000

    private var plan: LoadRun.Plan {
        let arrivals: LoadRun.Arrivals =
            closed
            ? .closed(callers: callers, duration: .seconds(seconds))
            : .open(.steps([Double(rate)], for: .seconds(seconds)), limit: Self.outstandingLimit)
        var plan = LoadRun.Plan(arrivals)
        plan.warmUp = .seconds(1)
        return plan
    }

    private func payload(for method: MethodSchema) throws -> LoadPayload {
        // Ids of this run alone, so that a broker can be measured more than once.
        let run = String(UInt32.random(in: .min ... .max), radix: 16)
        let share = WireDecimal(try Quantity(shares: 1))
        return try LoadPayload(Metadata(), for: method) { number in
            let order = BrokerPlaceOrderRequest(
                clientOrderID: "\(run)-\(number)", account: "bench-\(number % 50)", symbol: "AAPL", side: .buy,
                ordType: .market, orderQty: share, timeInForce: .day)
            return [order.encoded()]
        }
    }
}
