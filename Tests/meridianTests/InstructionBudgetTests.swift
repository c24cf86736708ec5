import EventLoop
import Foundation
import TestSupport
import Testing

/// What one unary call costs the server in user space, in instructions: a figure that repeats on any machine.
///
/// Counted by callgrind on a stripped release build, at 4 connections with 32 calls each, as the difference of a long and
/// a short run. `./meridian test` builds the program and names it; a plain `swift test` has none and skips this.
@Suite(.enabled(if: releaseProgram != nil, "MERIDIAN_RELEASE_PROGRAM names no release build"))
struct InstructionBudgetTests {
    enum Call: String, CaseIterable {
        /// Metrics on, room for interceptors and metadata.
        case plain
        /// With a deadline, a trace and a field of the caller's.
        case full

        var fields: [String] {
            switch self {
            case .plain: []
            case .full:
                [
                    "grpc-timeout: 5S", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                    "x-request-id: abcdef",
                ]
            }
        }

        var budget: Int {
            switch self {
            case .plain: 25_600
            case .full: 32_700
            }
        }
    }

    @Test(arguments: Call.allCases)
    func aUnaryCall(_ call: Call) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let program = "\(directory.path)/meridian"
        let original = try #require(releaseProgram)
        let strip = try await BlockingPool.shared.run {
            Result { try Program.run("strip", ["-g", "-o", program, original]) }
        }
        try #require(try strip.get().status == 0)
        let body = "\(directory.path)/body"
        // One EchoRequest: id, n and 64 bytes of payload.
        let message = [0x0a, 12] + Array("order-000001".utf8) + [0x10, 42, 0x1a, 64] + Array(0..<64)
        try Data([0, 0, 0, 0, UInt8(message.count)] + message).write(to: URL(filePath: body))
        var counts: [Int] = []
        for calls in [500, 4_500] {
            counts.append(
                try await instructions(
                    program, calls: calls, body: body, fields: call.fields, record: "\(directory.path)/\(calls)"))
        }
        let cost = (counts[1] - counts[0]) / 4_000
        #expect(cost <= call.budget, "\(cost) instructions")
        // Less than the library alone needs: the server was not counted.
        #expect(cost > 15_000, "\(cost) instructions")
    }

    private func instructions(
        _ program: String, calls: Int, body: String, fields: [String], record: String
    ) async throws -> Int {
        let server = try PipedProgram(
            "valgrind",
            [
                "--tool=callgrind", "--callgrind-out-file=\(record)", program, "bench", "echo-server", "--port", "0",
                "--loops", "1",
            ], errors: #require(FileHandle(forWritingAtPath: "/dev/null")))
        let load: Program.Result
        do {
            defer { server.send(SIGTERM) }
            let line = try await BlockingPool.shared.run { server.read() }
            let port = try #require(line.firstMatch(of: /serving echo.Echo at 127\.0\.0\.1:(\d+)/)?.1, "\(line)")
            let headers = (["content-type: application/grpc", "te: trailers"] + fields).flatMap { ["-H", $0] }
            let arguments =
                ["-c", "4", "-m", "32", "-n", "\(calls)", "-d", body] + headers
                + ["http://127.0.0.1:\(port)/echo.Echo/Unary"]
            load = try await BlockingPool.shared.run { Result { try Program.run("h2load", arguments) } }.get()
        }
        _ = try await BlockingPool.shared.run { server.exitStatus() }
        try #require(load.text.contains("\(calls) succeeded"), "\(load.text) \(load.errors)")
        let text = try String(contentsOfFile: record, encoding: .utf8)
        let total = try #require(text.firstMatch(of: /(?:summary|totals): (\d+)/)?.1, "callgrind has counted nothing")
        return try #require(Int(total))
    }
}

/// The release build to measure.
private let releaseProgram = ProcessInfo.processInfo.environment["MERIDIAN_RELEASE_PROGRAM"]
