import ArgumentParser
import EventLoop
import Foundation
import Protobuf
import RPC
import RPCCore
import RPCTool

/// `meridian bench rpc`: latency and throughput of one method of any gRPC server.
struct BenchRPC: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc",
        abstract: "Call one method of any gRPC server under load; print rates and latencies.",
        discussion: """
            With --rate the loop is open: calls begin by the clock, however slow the answers are, and latency counts from the
            moment that was due, so that a stall shows in the latency of all who had to wait. --ramp-to lets the rate grow or
            shrink evenly, --steps takes one rate after the other. Without --rate the loop is closed: each of
            --concurrency callers begins its next call when the last has ended.

            Only the server that ADDRESS names is called, for ten seconds unless --duration or --requests say otherwise.
            Failed calls are counted by status and have latencies of their own. Once a second a line on standard error
            tells how it goes; Ctrl-C ends the load early, with its report. Measure with a release build.

            Requests are as for `call`; several are sent in turn, or all of them in each call of a method that takes a stream.
            In requests and headers {{n}} is the number of the call, {{worker}} who makes it, {{uuid}} a new UUID, {{now}} and
            {{unix_ms}} the time, {{random 1 6}} a whole number.

            EXAMPLES
              meridian bench rpc http://127.0.0.1:50051 example.v1.Library/GetBook -d '{"id":{{n}}}'
              meridian bench rpc http://127.0.0.1:50051 Library/GetBook --rate 2000 --duration 30s --connections 4
              meridian bench rpc 127.0.0.1:50051 Library/GetBook --ca ca.pem --rate 100 --ramp-to 5000 --json
              meridian bench rpc unix:/run/library.sock Library/List --concurrency 16 --requests 10000 --report out.json
            """)

    @Argument(help: "ADDRESS METHOD", completion: MethodCompletion.kind)
    var words: [String] = []

    @Option(
        name: [.customShort("d"), .long],
        help: "The requests with variables, @FILE, or @- for standard input; {} if missing.")
    var data: String?

    @Option(name: .long, help: "json or text: how the requests are written.")
    var format = Call.Format.json

    @Option(name: .long, help: "Calls per second, above 0 and up to 1000000: an open loop.")
    var rate: Double?

    @Option(name: .customLong("ramp-to"), help: "The rate at the end of the duration.")
    var rampTo: Double?

    @Option(name: .long, help: "Rates, one after the other, each for an equal share: 100,200,400.")
    var steps: String?

    @Option(name: .long, help: "Callers of a closed loop, 1 to 10000.")
    var concurrency: Int?

    @Option(
        name: .customLong("max-outstanding"),
        help: "Calls under way at most in an open loop, 1 to 100000; more are dropped, and counted.")
    var maxOutstanding: Int = 10_000

    @Option(name: .long, help: "Connections, 1 to 256.")
    var connections: Int = 1

    @Option(name: .long, help: "Threads that call, 1 to 64, each with its share of the connections.")
    var threads: Int = 1

    @Option(name: .long, help: "How long calls are begun, up to 1h.")
    var duration: String = "10s"

    @Option(name: .long, help: "Calls at most, warm-up included, up to 1000000000.")
    var requests: Int?

    @Option(name: .customLong("warm-up"), help: "How long the same load comes first, unmeasured; 0s for none.")
    var warmUp: String = "1s"

    @Option(name: .customLong("timeout"), help: "Of each call.")
    var timeout: String = "20s"

    @Flag(name: .long, help: "Compress the requests.")
    var gzip = false

    @Flag(name: .long, help: "Print the report as one JSON object.")
    var json = false

    @Option(name: .long, help: "Write the report as JSON to this file, too.", completion: .file())
    var report: String?

    @Flag(name: .shortAndLong, help: "No lines while it runs.")
    var quiet = false

    @OptionGroup(title: "Server")
    var server: ServerOptions

    @OptionGroup(title: "Headers")
    var headers: HeaderOptions

    @OptionGroup(title: "Schema")
    var schema: SchemaOptions

    func validate() throws {
        let words = try Words(words, nameIsCalled: "METHOD")
        guard words.address != nil, words.name != nil else { throw ValidationError("ADDRESS and METHOD are needed.") }
        _ = try plan()
    }

    func run() async throws {
        try await Terminal.run {
            let words = try Words(words, nameIsCalled: "METHOD")
            guard let address = words.address, let name = words.name else { return }
            let stop = StopSignal()
            try await ToolSession.run(with: address, name: name, server, headers, schema) { session in
                let (method, found) = try await session.source.method(BuiltInContracts.fullName(of: name))
                try await schema.save(found)
                try await measure(method, found, address, session, stop)
            }
        }
    }

    // MARK: The load

    func plan() throws -> LoadRun.Plan {
        let duration = try DurationText.parse(duration)
        guard duration <= .seconds(3600) else { throw ValidationError("--duration goes up to 1h.") }
        let rates = try rates()
        guard (rates + (rampTo.map { [$0] } ?? [])).allSatisfy({ $0 > 0 && $0 <= 1_000_000 }) else {
            throw ValidationError("Rates are above 0, up to 1000000.")
        }
        guard (1...256).contains(connections) else { throw ValidationError("--connections goes from 1 to 256.") }
        guard (1...64).contains(threads) else { throw ValidationError("--threads goes from 1 to 64.") }
        guard (1...100_000).contains(maxOutstanding) else {
            throw ValidationError("--max-outstanding goes from 1 to 100000.")
        }
        guard (1...1_000_000_000).contains(requests ?? 1) else {
            throw ValidationError("--requests goes from 1 to 1000000000.")
        }
        let arrivals: LoadRun.Arrivals
        if rates.isEmpty {
            guard rampTo == nil else { throw ValidationError("--ramp-to needs --rate.") }
            let callers = concurrency ?? 8
            guard (1...10_000).contains(callers) else { throw ValidationError("--concurrency goes from 1 to 10000.") }
            arrivals = .closed(callers: callers, duration: duration)
        } else {
            guard concurrency == nil else { throw ValidationError("--concurrency is for a load without --rate.") }
            let profile =
                if let rampTo { RateProfile.ramp(from: rates[0], to: rampTo, for: duration) } else {
                    RateProfile.steps(rates, for: duration)
                }
            arrivals = .open(profile, limit: maxOutstanding)
        }
        var plan = LoadRun.Plan(arrivals)
        plan.warmUp = warmUp == "0s" ? .zero : try DurationText.parse(warmUp)
        guard plan.warmUp <= .seconds(600) else { throw ValidationError("--warm-up goes up to 10m.") }
        plan.requests = requests
        plan.timeout = try DurationText.parse(timeout)
        plan.encoding = gzip ? .gzip : .identity
        return plan
    }

    private func rates() throws -> [Double] {
        guard let steps else { return rate.map { [$0] } ?? [] }
        guard rate == nil, rampTo == nil else { throw ValidationError("--steps goes without --rate and --ramp-to.") }
        return try steps.split(separator: ",", omittingEmptySubsequences: false).map { word in
            guard let rate = Double(word) else { throw ValidationError("--steps \(steps) is no list of rates.") }
            return rate
        }
    }

    private func measure(
        _ method: CallableMethod, _ found: Schema, _ address: ServerAddress, _ session: ToolSession, _ stop: StopSignal
    ) async throws {
        var text = try data.map(InputText.read) ?? (format == .json ? "{}" : "")
        if data == nil, method.schema.clientStreams { text = "" }
        let payload = try LoadPayload(
            text, headers: session.headerLines, MessageText(format == .json ? .json : .text, types: found.types),
            for: method.schema)
        let plan = try plan()
        let settings = try server.settings(for: address)
        let loadBefore = Machine.load()
        let groups = try (0..<threads).map { try EventLoopGroup(name: "load-\($0)", count: 1) }
        let channels = (0..<connections).map {
            settings.channel(groups[$0 % threads], waitingCalls: max(maxOutstanding, concurrency ?? 8))
        }
        let load = LoadRun(
            plan, method, payload,
            over: channels.enumerated().map { LoadRun.Connection($1, on: groups[$0 % threads].loops[0]) })
        let date = Date.now
        let outcome: Result<LoadTally, any Error>
        do { outcome = .success(try await watch(load, stop)) } catch { outcome = .failure(error) }
        for channel in channels { await channel.shutDown() }
        for group in groups { group.shutDown() }
        let home = ProcessInfo.processInfo.environment["MERIDIAN_HOME"] ?? FileManager.default.currentDirectoryPath
        try publish(
            RPCReport(
                date: date.formatted(.iso8601), machine: .this(home: home), loadBefore: loadBefore,
                target: session.connection.target, method: method.path, arrivals: arrivalsText,
                connections: connections, threads: threads,
                figures: LoadFigures(try outcome.get(), planned: try plannedTime(stop))))
    }

    /// Runs the load with a line each second; the first signal ends it early.
    private func watch(_ load: LoadRun, _ stop: StopSignal) async throws -> LoadTally {
        try await withThrowingTaskGroup(of: LoadTally?.self) { tasks in
            tasks.addTask { try await load.run() }
            tasks.addTask {
                await stop.wait()
                load.stop()
                return nil
            }
            if !quiet {
                tasks.addTask {
                    var seconds = 0
                    // Ends by cancellation, when the load has ended.
                    while (try? await Task.sleep(for: .seconds(1))) != nil {
                        seconds += 1
                        Terminal.note(LiveLine.text(load.look(), seconds: seconds))
                    }
                    return nil
                }
            }
            defer { tasks.cancelAll() }
            while let result = try await tasks.next() {
                if let tally = result { return tally }
            }
            throw CancellationError()
        }
    }

    /// An interrupted load, and one of a number of calls, lasted until its last call.
    private func plannedTime(_ stop: StopSignal) throws -> Duration {
        requests != nil || stop.hasCome ? .zero : try DurationText.parse(duration)
    }

    private var arrivalsText: String {
        if let steps { return "open loop, \(steps) calls/s in turn" }
        guard let rate else { return "closed loop, \(concurrency ?? 8) callers" }
        return "open loop, \(rate)\(rampTo.map { " to \($0)" } ?? "") calls/s"
    }

    private func publish(_ result: RPCReport) throws {
        let text = try result.json()
        say(json ? text : result.text)
        guard let report else { return }
        do {
            try Data("\(text)\n".utf8).write(to: URL(filePath: report), options: .atomic)
        } catch {
            throw ToolFailure.other("\(report) cannot be written: \(error)")
        }
    }
}

/// One second of a load, for people.
enum LiveLine {
    static func text(_ look: LoadTally.Look, seconds: Int) -> String {
        guard !look.isWarmingUp else { return "\(seconds) s  warming up, \(look.inFlight) under way" }
        func time(_ perMille: Int) -> String {
            look.latencies.microseconds(atPerMille: perMille).map { TimeText.format(.microseconds(Int64($0))) } ?? "-"
        }
        return "\(seconds) s  \(look.latencies.count) calls/s, \(look.receivedMessages) messages/s, p50 \(time(500)), "
            + "p99 \(time(990)), \(look.inFlight) under way, \(look.failed) failed, \(look.dropped) dropped so far"
    }
}
