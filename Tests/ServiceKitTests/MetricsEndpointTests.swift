import EventLoop
import Limits
import ServiceKit
import Synchronization
import TestSupport
import Testing

@Suite(.serialized) struct MetricsEndpointTests {
    /// Runs `body` beside an endpoint on a free port of 127.0.0.1.
    private func withEndpoint(
        timeout: Duration = .seconds(5), _ metrics: Metrics = Metrics(),
        _ body: @Sendable (UInt16) async throws -> Void
    ) async throws {
        let endpoint = MetricsEndpoint(loop: TestLoops.group.loops[0], metrics: metrics, timeout: timeout)
        let addresses = BatchChannel<SocketAddress>(capacity: 1)
        let address = try #require(SocketAddress(numericHost: "127.0.0.1", port: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await endpoint.run(at: address) { _ = addresses.trySend($0) } }
            let port = await addresses.receiveBatch(maximum: 1)?.first?.port
            defer { group.cancelAll() }
            try await body(try #require(port))
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func ask(_ port: UInt16, _ parts: String...) async throws -> String? {
        try await BlockingPool.shared.run {
            let client = RawClient(port: port)
            for part in parts { client.send(part) }
            return client.readToEnd()
        }
    }

    @Test func metricsAreServed() async throws {
        let metrics = Metrics()
        metrics.counter("meridian_test_total", help: "A test.").increment(by: 42)
        try await withEndpoint(metrics) { (port) async throws in
            let answer = try #require(try await ask(port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"))
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            let body = try #require(answer.split(separator: "\r\n\r\n", maxSplits: 1).last)
            #expect(
                body
                    == "# HELP meridian_test_total A test.\n# TYPE meridian_test_total counter\nmeridian_test_total 42\n"
            )
            #expect(answer.contains("Content-Length: \(body.utf8.count)\r\n"))
            #expect(answer.contains("Connection: close\r\n"))
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", "404"), ("GET /metrics/x HTTP/1.1\r\n\r\n", "404"), ("GET\r\n\r\n", "404"),
        ("POST /metrics HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", "405"), ("\r\n\r\n", "405"),
        ("GET /metrics HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n", "200"),
        (String(repeating: "a", count: 10_240), "431"),
    ])
    func everyRequestHasItsAnswer(_ request: String, _ status: String) async throws {
        try await withEndpoint { (port) async throws in
            let answer = try #require(try await ask(port, request))
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        }
    }

    @Test func aRequestMayComeInPieces() async throws {
        try await withEndpoint { (port) async throws in
            let answer = try await ask(port, "GET /met", "rics HTTP/1.1\r", "\nHost: x\r\n\r", "\n")
            #expect(answer?.hasPrefix("HTTP/1.1 200 ") == true)
        }
    }

    @Test func aSlowClientIsCutOff() async throws {
        try await withEndpoint(timeout: .milliseconds(100)) { (port) async throws in
            // Half a request, and then nothing: the server closes without an answer.
            let answer = try await ask(port, "GET /metrics HT")
            #expect(answer == "")
        }
    }

    @Test func moreConnectionsThanTheLimitAreClosedAtOnceAndThePlacesComeBack() async throws {
        try await withEndpoint { (port) async throws in
            let waiting = try await BlockingPool.shared.run {
                (0..<16).map { _ in RawClient(port: port) }
            }
            let refused = try await ask(port)
            #expect(refused == "")
            // Those who were first are served.
            let answers = try await BlockingPool.shared.run {
                waiting.map { client in
                    client.send("GET /metrics HTTP/1.1\r\n\r\n")
                    return client.readToEnd() ?? ""
                }
            }
            #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 200 ") })
            let later = try await ask(port, "GET /metrics HTTP/1.1\r\n\r\n")
            #expect(later?.hasPrefix("HTTP/1.1 200 ") == true)
        }
    }

    @Test func theEndClosesWhoIsStillThere() async throws {
        let client = Mutex<RawClient?>(nil)
        try await withEndpoint { (port) async throws in
            let made = try await BlockingPool.shared.run { RawClient(port: port) }
            client.withLock { $0 = made }
            // An answer to somebody else: the first one was certainly accepted.
            _ = try await ask(port, "GET / HTTP/1.1\r\n\r\n")
        }
        let left = try #require(client.withLock { $0 })
        let rest = try await BlockingPool.shared.run { left.readToEnd() }
        #expect(rest == "")
    }
}
