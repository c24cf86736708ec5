import EventLoop
import RPC
import RPCCore
import Synchronization

/// Callers of echo.Echo, each in a closed loop on the loop of its channel, with the generated client.
///
/// What comes back is counted between two moments, and with it the processor time of both sides. A call that fails ends
/// the load: figures of failures say nothing.
final class EchoLoad: Sendable {
    enum Shape: Sendable {
        /// A caller begins its next call when the last has ended.
        case unary
        /// A caller keeps one stream with so many messages that are not answered yet.
        case stream(window: Int)
    }

    struct Plan: Sendable {
        let shape: Shape
        /// On each channel.
        let callers: Int
        /// Unmeasured, before the measured duration.
        let warmUp: Duration
        let duration: Duration
    }

    private struct Sample {
        let instant = ContinuousClock.now
        let answers: Int
        let client: Duration
        let server: Duration?
    }

    private let plan: Plan
    private let loop: EventLoop
    private let channels: [any RPCChannel]
    private let server: ProcessorClock?
    private let answers = Atomic(0)
    private let isStopped = Atomic(false)

    /// - Parameter server: the processor time of the server, if it can be read.
    init(_ plan: Plan, over channels: [any RPCChannel], on loop: EventLoop, server: ProcessorClock?) {
        self.plan = plan
        self.channels = channels
        self.loop = loop
        self.server = server
    }

    /// Returns when the last caller has ended. Throws what the first failed call threw.
    func run() async throws -> EchoFigures {
        try await withThrowingTaskGroup(of: EchoFigures?.self) { tasks in
            for channel in channels {
                let client = Echo_EchoClient(channel)
                for _ in 0..<plan.callers {
                    tasks.addTask {
                        try await self.loop.perform { try await self.repeatCalls(client) }
                        return nil
                    }
                }
            }
            tasks.addTask { try await self.measure() }
            var figures: EchoFigures?
            for try await outcome in tasks { figures = figures ?? outcome }
            guard let figures else { preconditionFailure("one of the tasks measures") }
            return figures
        }
    }

    private func measure() async throws -> EchoFigures {
        try await Task.sleep(for: plan.warmUp)
        let first = try sample()
        try await Task.sleep(for: plan.duration)
        let last = try sample()
        isStopped.store(true, ordering: .relaxed)
        return EchoFigures(
            answers: last.answers - first.answers, duration: last.instant - first.instant,
            client: last.client - first.client,
            server: last.server.flatMap { last in first.server.map { last - $0 } })
    }

    private func sample() throws -> Sample {
        Sample(
            answers: answers.load(ordering: .relaxed), client: try ProcessorClock.own.read(), server: try server?.read()
        )
    }

    // MARK: One caller

    private static let request = Echo_EchoRequest(id: "order-000001", n: 42, payload: Array(0..<64))

    private func repeatCalls(_ client: Echo_EchoClient) async throws {
        switch plan.shape {
        case .unary:
            let options = CallOptions(timeout: .seconds(20))
            while !isStopped.load(ordering: .relaxed) {
                try count(try await client.unary(Self.request, options: options))
            }
        case .stream(let window):
            let options = CallOptions(timeout: plan.warmUp + plan.duration + .seconds(20))
            try await client.stream(options: options) { writer, responses in
                for _ in 0..<window { try await writer.write(Self.request) }
                var isFinished = false
                for try await response in responses {
                    try count(response)
                    if !isStopped.load(ordering: .relaxed) {
                        try await writer.write(Self.request)
                    } else if !isFinished {
                        isFinished = true
                        await writer.finish()
                    }
                }
            }
        }
    }

    private func count(_ response: Echo_EchoResponse) throws {
        guard response.n == Self.request.n, response.payload.count == Self.request.payload.count else {
            throw Status(.dataLoss, "the echo differs from the request")
        }
        answers.wrappingAdd(1, ordering: .relaxed)
    }
}

/// What a load of echoes has measured.
struct EchoFigures: Sendable {
    let answers: Int
    let duration: Duration
    /// Processor time in that duration.
    let client: Duration
    /// Nil where nobody looked.
    let server: Duration?

    /// One line. An answer is a unary call or one message of a stream.
    var text: String {
        // A process that was not the server may have used no time at all.
        func rate(_ time: Duration) -> Int {
            time > .zero ? Int((Double(answers) / (time / .seconds(1))).rounded()) : 0
        }
        let line = "\(rate(duration)) answers/s, \(rate(client)) per CPU second of the client"
        return server.map { "\(line), \(rate($0)) per CPU second of the server" } ?? line
    }
}
