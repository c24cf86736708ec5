import Contracts
import EventLoop
import Foundation
import RPC
import RPCCore
import TestSupport
import Testing

@testable import meridian

extension StackTests {
    struct UpTests {
        /// `meridian up` says where the door and each service's metrics really are, and ends in order when told to.
        @Test(.timeLimit(.minutes(2))) func upTellsWhereEverythingIsAndEndsInOrder() async throws {
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            let up = try PipedProgram(
                TestStack.program(),
                ["up", "--listen", "127.0.0.1:0", "--metrics-port", "0", "--folder", directory.path],
                environment: ["MERIDIAN_HOME": TestStack.home])
            defer { up.send(SIGKILL) }
            let text = try await BlockingPool.shared.run {
                var text = ""
                // Ends with the word or with the program.
                while !text.contains("Ctrl-C") {
                    let piece = up.read()
                    if piece.isEmpty { break }
                    text += piece
                }
                return text
            }

            let lines = text.matches(of: /http:\/\/(127\.0\.0\.1:[1-9][0-9]*)\/metrics  ([a-z-]+)/)
            #expect(lines.map { String($0.output.2) } == Stack.services.map(\.rawValue), "\(text)")
            for line in lines {
                let arguments = ["-sSf", "--max-time", "10", "http://\(line.output.1)/metrics"]
                let metrics = try await BlockingPool.shared.run { Result { try Program.run("curl", arguments) } }.get()
                #expect(metrics.status == 0, "\(line.output.2): \(metrics.errors)")
                // Each has answered the question whether it is ready.
                #expect(
                    metrics.text.contains(
                        "grpc_server_call_started_total{grpc_method=\"grpc.health.v1.Health/Check\"} "))
            }
            let door = try #require(text.firstMatch(of: /door is at (127\.0\.0\.1:[1-9][0-9]*)/)?.output.1)
            try await expectServing(at: String(door), StackFolder(path: directory.path))

            up.send(SIGTERM)
            #expect(try await BlockingPool.shared.run { up.exitStatus() } == 0)
            #expect(!FileManager.default.fileExists(atPath: "\(directory.path)/data/postgres/postmaster.pid"))
        }

        private func expectServing(at address: String, _ folder: StackFolder) async throws {
            let group = try EventLoopGroup(name: "up-test", count: 1)
            let channel = RPCClientChannel(
                target: try #require(Endpoint(address)),
                tls: try folder.certificates.client(as: "operator", to: .channel), group: group)
            let reply = try await channel.unary(
                "/grpc.health.v1.Health/Check", [], options: CallOptions(timeout: .seconds(10)))
            #expect(reply == [0x08, 0x01])
            await channel.shutDown()
            group.shutDown()
        }
    }
}
