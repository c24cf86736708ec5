import EventLoop
import Foundation
import RPC
import RPCCore
import TestSupport
import Testing

/// An echo server in a process of its own, so that its memory can be told from the test's.
final class Victim: Sendable {
    let port: UInt16
    private let metricsPort: UInt16
    private let identifier: Int32
    private let log: String

    private init(port: UInt16, metricsPort: UInt16, identifier: Int32, log: String) {
        self.port = port
        self.metricsPort = metricsPort
        self.identifier = identifier
        self.log = log
    }

    static func run(_ body: (Victim) async throws -> Void) async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let log = "\(folder.path)/log"
        try Data().write(to: URL(filePath: log))
        let server = try PipedProgram(
            Program.built("meridian"), ["bench", "echo-server", "--port", "0", "--metrics-port", "0"],
            errors: FileHandle(forWritingTo: URL(filePath: log)))
        let line = try await BlockingPool.shared.run { server.read() }
        let places = line.firstMatch(
            of: /serving echo.Echo at 127\.0\.0\.1:(\d+), \/metrics at 127\.0\.0\.1:(\d+)/)
        do {
            let ports = try #require(places.map { ($0.1, $0.2) }, "\(line)")
            try await body(
                Victim(
                    port: try #require(UInt16(ports.0)), metricsPort: try #require(UInt16(ports.1)),
                    identifier: server.identifier, log: log))
        } catch {
            Issue.record(error)
        }
        #expect(server.isRunning, "the server has not survived")
        server.send(SIGTERM)
        _ = try await BlockingPool.shared.run { server.exitStatus() }
    }

    /// Waits until the server has counted this many connections refused for `reason`, which it has logged then; false when
    /// it does not for 10 s.
    func hasRefused(_ count: Int = 1, for reason: String) async throws -> Bool {
        let limit = ContinuousClock.now + .seconds(10)
        let line = "meridian_rpc_connections_refused_total{reason=\"\(reason)\"}"
        while ContinuousClock.now < limit {
            let metrics = try await BlockingPool.shared.run { [metricsPort] in
                Result { try Program.run("curl", ["-s", "http://127.0.0.1:\(metricsPort)/metrics"]).text }
            }.get()
            guard metrics.contains("\(line) \(count)\n") else { continue }
            let text = try String(contentsOfFile: log, encoding: .utf8)
            if text.contains("connection.refused"), text.contains("\"\(reason)\"") { return true }
        }
        return false
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
