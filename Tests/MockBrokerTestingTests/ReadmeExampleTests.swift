import Contracts
import EventLoop
import Foundation
import MockBrokerTesting
import Protobuf
import RPC
import RPCCore
import TestSupport
import Testing

private let python = Python.interpreter(importing: "grpc", "grpc_tools")

/// The contract tests that README shows, as they stand there.
@Suite(.timeLimit(.minutes(1))) struct ReadmeExampleTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()

    @Test func aLostAnswerIsNoSecondOrder() async throws {
        try await TestBroker.run(rules: [.loseReplies(attempts: 1...1)]) { broker in
            let client = MyBrokerClient(address: broker.address)
            try await client.place("order-1")

            let truth = try await broker.truth()
            #expect(truth.orders.map(\.clientOrderID) == ["order-1"])
            #expect(truth.placeAttempts == 2)
            await client.close()
        }
    }

    @Test(.enabled(if: python != nil, "grpcio-tools is not installed"))
    func inPythonWithGeneratedStubs() async throws {
        let python = try #require(python)
        let stubs = FileManager.default.temporaryDirectory.appending(path: "broker-stubs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: stubs, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: stubs) }
        let protos = "\(Repository.path)/Protos"
        let files = try ["broker", "type"].flatMap { package in
            try FileManager.default.contentsOfDirectory(atPath: "\(protos)/meridian/\(package)/v1")
                .map { "meridian/\(package)/v1/\($0)" }
        }
        let generated = try await BlockingPool.shared.run {
            Result {
                try Program.run(
                    python,
                    [
                        "-m", "grpc_tools.protoc", "-I", protos, "--python_out", stubs.path, "--grpc_python_out",
                        stubs.path,
                    ] + files)
            }
        }.get()
        try #require(generated.status == 0, "\(generated.errors)")
        try await TestBroker.run { broker in
            let script = Self.folder.appending(path: "Python/contract_test.py").path
            let addresses = ["\(broker.address)", "\(broker.controlAddress)"]
            let result = try await BlockingPool.shared.run {
                Result {
                    try Program.run("/usr/bin/env", ["PYTHONPATH=\(stubs.path)", python, script] + addresses)
                }
            }.get()
            #expect(result.status == 0, "\(result.errors)")
        }
    }

    /// README shows what runs here.
    @Test func readmeShowsTheseTests() throws {
        let readme = try String(contentsOfFile: "\(Repository.path)/README.md", encoding: .utf8)
        let script = try String(contentsOf: Self.folder.appending(path: "Python/contract_test.py"), encoding: .utf8)
        #expect(readme.contains("```python\n\(script)```\n"))
        let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
        let shown = try #require(readme.split(separator: "import MockBrokerTesting\n\n").dropFirst().first)
        let example = try #require(shown.split(separator: "```\n").first)
        let lines = { (text: Substring) in text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) } }
        let all = lines(source[...])
        for line in lines(example) { #expect(all.contains(line), "\(line)") }
        #expect(example.contains("@Test"))
    }
}

/// A client as somebody else might write it: it sends the same id again until it has an answer.
private struct MyBrokerClient {
    private let group: EventLoopGroup
    private let channel: RPCClientChannel

    init(address: SocketAddress) {
        do { group = try EventLoopGroup(name: "my-client", count: 1) } catch { preconditionFailure("\(error)") }
        channel = RPCClientChannel(target: Endpoint(address), group: group)
    }

    func place(_ id: String) async throws {
        let request = BrokerPlaceOrderRequest(
            clientOrderID: id, account: "test", symbol: "AAPL", side: .buy, ordType: .market,
            orderQty: WireDecimal(unscaled: 1, scale: 0), timeInForce: .day)
        while true {
            do {
                _ = try await BrokerServiceClient(channel).placeOrder(
                    request, options: CallOptions(timeout: .seconds(1)))
                return
            } catch let status as Status where status.code == .deadlineExceeded {}
        }
    }

    func close() async {
        await channel.shutDown()
        group.shutDown()
    }
}
