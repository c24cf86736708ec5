import ArgumentParser
import Contracts
import Foundation
import RPC

/// `meridian bench orders`: latency and throughput of purchases, and whether the books balance afterwards.
struct BenchOrders: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orders",
        abstract: "Offer orders at a fixed rate; print latencies; exit with 1 if the books do not agree afterwards.",
        discussion: """
            Starts a private stack in a temporary folder and leaves nothing behind, or loads the stack that runs in
            --folder. Orders arrive by the clock, however slow the answers are, and latency counts from the arrival that
            was due: a stall shows in the latency of all who had to wait. "answer" ends when PlaceOrder has answered at
            the door, "fill" when the customer's stream there shows FILLED. The broker fills after 5 to 15 ms; on the
            stack of --folder it behaves as it was told before. Two seconds of the same load come first, unmeasured.

            Measure a release build: swift build -c release --product meridian

            EXAMPLES
              meridian bench orders --rate 100 --seconds 30
              meridian bench orders --rate 300 --seconds 10 --json > figures.json
              meridian bench orders --rate 20 --seconds 5 --folder /var/tmp/mine
            """)

    @Option(name: .long, help: "Orders per second, 1 to 10000.")
    var rate = 50

    @Option(name: .long, help: "Length of the measurement, 1 to 3600.")
    var seconds = 10

    @Option(name: .long, help: "Customers that share the load, 1 to 100; one may call 200 times a second.")
    var customers = 20

    @Option(name: .long, help: "Load the stack that runs in this folder instead of an own one.")
    var folder: String?

    @Flag(name: .long, help: "Print one JSON object; checks and progress go to standard error.")
    var json = false

    func validate() throws {
        guard (1...10_000).contains(rate) else { throw ValidationError("--rate goes from 1 to 10000.") }
        guard (1...3600).contains(seconds) else { throw ValidationError("--seconds goes from 1 to 3600.") }
        guard (1...100).contains(customers) else { throw ValidationError("--customers goes from 1 to 100.") }
    }

    func run() async throws {
        let stop = StopSignal()
        let passed: Bool
        if let folder {
            passed = try await Self.until(stop) { try await measure(StackFolder(path: folder)) }
        } else {
            passed = try await measureOwnStack(until: stop)
        }
        if !passed { throw ExitCode(1) }
    }

    // MARK: The stack

    private func measureOwnStack(until stop: StopSignal) async throws -> Bool {
        let path = "/tmp/meridian-bench-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let stack = try Stack(folder: StackFolder(path: path), options: Stack.Options())
        let outcome: Result<Bool, any Error>
        do {
            outcome = .success(
                try await Self.until(stop) {
                    progress("Starting Meridian in \(path)")
                    try await stack.start { _ in }
                    try await calm(stack)
                    return try await measure(stack.folder)
                })
        } catch {
            outcome = .failure(error)
        }
        await stack.stop()
        return try outcome.get()
    }

    /// The broker on a good day, with a short way to the exchange.
    private func calm(_ stack: Stack) async throws {
        let control = BrokerControlServiceClient(try stack.channel(to: .mockBroker, control: true))
        _ = try await control.setBehavior(BrokerSetBehaviorRequest(behavior: BrokerBehavior()))
        _ = try await control.setRules(
            BrokerSetRulesRequest(rules: [.fills("fills", .uniform(.milliseconds(5) ... .milliseconds(15)))]))
    }

    /// Runs `body`; the first signal cancels it.
    private static func until(
        _ stop: StopSignal, _ body: @escaping @Sendable () async throws -> Bool
    ) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { try await body() }
            group.addTask {
                await stop.wait()
                throw CancellationError()
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }

    // MARK: The measurement

    private func measure(_ folder: StackFolder) async throws -> Bool {
        let loadBefore = Machine.load()
        let plan = OrderLoad.Plan(rate: rate, seconds: seconds, customers: customers)
        progress("\(rate) orders per second for \(plan.warmUpSeconds) + \(seconds) s")
        let date = Date.now
        let run = "bench-\(Int64(date.timeIntervalSince1970))"
        let tally = try await OrderLoad(plan: plan, run: run, folder: folder).run()
        let home = ProcessInfo.processInfo.environment["MERIDIAN_HOME"] ?? FileManager.default.currentDirectoryPath
        let report = BenchReport(
            date: date.formatted(.iso8601), machine: .this(home: home), loadBefore: loadBefore, customers: customers,
            seconds: seconds,
            rate: rate, warmUp: .seconds(plan.warmUpSeconds), tally: tally)
        print(json ? try report.json() : report.text)
        return try await audit(folder)
    }

    private func audit(_ folder: StackFolder) async throws -> Bool {
        let checks = Auditor.check(try await BooksAtRest.read(folder, within: .seconds(60)))
        let failed = checks.filter { !$0.passed }
        for check in failed { progress(check.text) }
        progress(
            failed.isEmpty
                ? "All \(checks.count) checks of the books passed."
                : "\(failed.count) of \(checks.count) checks FAILED.")
        return failed.isEmpty
    }

    /// For people: beside the figures, or where they do not disturb a program that reads them.
    private func progress(_ text: String) {
        guard json else { return print(text) }
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }
}
