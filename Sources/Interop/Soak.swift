internal import Limits
internal import RPCCore

/// Many calls of `large_unary`, one after the other for each worker.
struct Soak {
    private let run: InteropRun
    private let settings: SoakSettings
    private let renewsChannel: Bool

    init(_ run: InteropRun, renewsChannel: Bool) {
        self.run = run
        settings = run.soak
        self.renewsChannel = renewsChannel
    }

    private struct Outcome {
        let latency: Duration
        let isAcceptable: Bool
    }

    func run() async throws {
        let outcomes: [Outcome]
        if renewsChannel {
            outcomes = try await work(on: nil)
        } else {
            outcomes = try await run.withChannel { try await work(on: $0) }
        }
        let failures = outcomes.count { !$0.isAcceptable }
        run.report(summary(outcomes, failures))
        try expect("calls within \(settings.limit)", outcomes.count, is: settings.iterations)
        guard failures <= settings.maximumFailures else {
            throw Mismatch(
                "calls that failed or took longer than \(settings.acceptableLatency)",
                expected: "at most \(settings.maximumFailures)", actual: "\(failures)")
        }
    }

    private func work(on channel: (any RPCChannel)?) async throws -> [Outcome] {
        try await withThrowingTaskGroup { group in
            for worker in 0..<settings.workers {
                let first = settings.iterations * worker / settings.workers
                let end = settings.iterations * (worker + 1) / settings.workers
                group.addTask { try await iterate(first..<end, channel) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// Stops when the time is over.
    private func iterate(_ numbers: Range<Int>, _ channel: (any RPCChannel)?) async throws -> [Outcome] {
        var outcomes: [Outcome] = []
        for number in numbers where Deadline.current?.hasPassed != true {
            let start = ContinuousClock.now
            outcomes.append(try await iterate(number, channel))
            if number + 1 < numbers.upperBound { try await Task.sleep(until: start + settings.minimumInterval) }
        }
        return outcomes
    }

    private func iterate(_ number: Int, _ channel: (any RPCChannel)?) async throws -> Outcome {
        let start = ContinuousClock.now
        var failure: String?
        do {
            if let channel { try await call(channel) } else { try await run.withChannel(call) }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            failure = "\(error)"
        }
        let latency = start.duration(to: .now)
        if failure == nil, latency > settings.acceptableLatency {
            failure = "took longer than \(settings.acceptableLatency)"
        }
        let ending = failure.map { "failed: \($0)" } ?? "succeeded"
        run.report("soak iteration: \(number) elapsed_ms: \(milliseconds(latency)) \(ending)")
        return Outcome(latency: latency, isAcceptable: failure == nil)
    }

    @Sendable private func call(_ channel: any RPCChannel) async throws {
        try await InteropCase.largeUnary(
            channel, requestBytes: settings.requestBytes, responseBytes: settings.responseBytes)
    }

    private func summary(_ outcomes: [Outcome], _ failures: Int) -> String {
        let latencies = outcomes.map(\.latency).sorted()
        guard let worst = latencies.last else { return "soak: no call was made" }
        return "soak: \(outcomes.count) of \(settings.iterations) calls, \(failures) failed, "
            + "median \(milliseconds(latencies[latencies.count / 2])) ms, worst \(milliseconds(worst)) ms"
    }

    private func milliseconds(_ duration: Duration) -> Int { Int(duration / .milliseconds(1)) }
}
