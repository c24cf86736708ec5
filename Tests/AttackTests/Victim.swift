import EventLoop
import Foundation
import RPC
import RPCCore
import TestSupport
import Testing

/// An echo server in a process of its own, so that its memory can be told from the test's.
final class Victim: Sendable {
    let port: UInt16
    private let identifier: Int32

    private init(port: UInt16, identifier: Int32) {
        self.port = port
        self.identifier = identifier
    }

    static func run(_ body: (Victim) async throws -> Void) async throws {
        let process = Process()
        process.executableURL = URL(filePath: try Program.built("meridian"))
        process.arguments = ["bench", "echo-server", "--port", "0"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let port = line.firstMatch(of: /serving echo.Echo at 127\.0\.0\.1:(\d+)/).flatMap { UInt16($0.1) }
        do {
            try await body(Victim(port: try #require(port, "\(line)"), identifier: process.processIdentifier))
        } catch {
            Issue.record(error)
        }
        #expect(process.isRunning, "the server has not survived")
        process.terminate()
        try await BlockingPool.shared.run { process.waitUntilExit() }
    }

    /// Memory in use.
    private func residentKilobytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)
        return Int(try #require(status.firstMatch(of: /VmRSS:\s+(\d+) kB/)?.1)) ?? 0
    }

    /// What an attack did to the server and to others.
    struct Damage {
        /// Of calls by another client meanwhile.
        var medianLatency: Duration
        /// The most that the server's memory was above what it was before.
        var grownKilobytes: Int

        /// What no attack may exceed.
        var isBearable: Bool { medianLatency < .milliseconds(100) && grownKilobytes < 64 << 10 }
    }

    /// Makes the attack while another client calls, one call after the other, and the server's memory is looked at.
    func suffer<Result: Sendable>(
        _ attack: @escaping @Sendable () async throws -> Result
    ) async throws -> (result: Result, damage: Damage) {
        let group = try EventLoopGroup(name: "bystander", count: 1)
        let channel = RPCClientChannel(target: .tcp(host: "127.0.0.1", port: port), group: group)
        let request: [UInt8] = [0x10, 42]
        // Warm, so that what every server needs once does not count.
        for _ in 0..<50 { _ = try await channel.unary("/echo.Echo/Unary", request, options: .defaults) }
        let before = try residentKilobytes()
        var damage = Damage(medianLatency: .zero, grownKilobytes: 0)
        var latencies: [Duration] = []
        let isOver = Counter()
        async let outcome: Swift.Result<Result, any Error> = {
            defer { isOver.increment() }
            do { return .success(try await attack()) } catch { return .failure(error) }
        }()
        while isOver.value == 0 || latencies.count < 20 {
            let start = ContinuousClock.now
            let answer = try await channel.unary(
                "/echo.Echo/Unary", request, options: CallOptions(timeout: .seconds(10)))
            latencies.append(start.duration(to: .now))
            #expect(answer == request)
            damage.grownKilobytes = max(damage.grownKilobytes, try residentKilobytes() - before)
        }
        let result = await outcome
        await channel.shutDown()
        group.shutDown()
        damage.medianLatency = latencies.sorted()[latencies.count / 2]
        return (try result.get(), damage)
    }
}
