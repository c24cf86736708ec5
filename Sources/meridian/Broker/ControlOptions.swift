import ArgumentParser
import Contracts
import EventLoop
import Foundation
import Limits
import Protobuf
import RPCCore
import RPCTool

/// Which broker's control service, which namespace, and how answers are shown: the same for every `broker` command.
struct ControlOptions: ParsableArguments {
    static let usualAddress = "http://127.0.0.1:7461"

    @Option(name: .customLong("at"), help: "The control service: http://host:port, https://host:port or unix:PATH.")
    var at: String?

    @Flag(name: .long, help: "The broker of the stack that `meridian up` runs, with the operator's certificate.")
    var stack = false

    @Option(name: .long, help: "The data folder of that stack.", completion: .directory)
    var folder: String = StackFolder.defaultPath

    @Option(name: .shortAndLong, help: "The namespace; `default` if missing.")
    var namespace: String = ""

    @Flag(name: .long, help: "Print what the service answered as JSON.")
    var json = false

    @OptionGroup(title: "Server")
    var server: ServerOptions

    func validate() throws {
        guard at == nil || !stack else { throw ValidationError("--at and --stack are two brokers.") }
        _ = try address()
    }

    private func address() throws -> ServerAddress {
        let text =
            if stack {
                "unix:\(StackFolder(path: folder).socket(of: .mockBroker, control: true))"
            } else {
                at ?? ProcessInfo.processInfo.environment["MERIDIAN_BROKER_CONTROL"] ?? Self.usualAddress
            }
        guard let address = ServerAddress(text) else {
            throw ValidationError("\(text) is no address; write http://host:port, https://host or unix:PATH.")
        }
        return address
    }

    /// Runs `body` with a client of the service, within the limit of the whole, and turns a failure into its exit code.
    func run(_ body: (BrokerControlServiceClient) async throws -> Void) async throws {
        try await Terminal.run {
            let address = try address()
            let settings =
                stack
                ? try server.settings(
                    for: address,
                    tls: try StackFolder(path: folder).certificates.client(as: "operator", to: .mockBroker))
                : try server.settings(for: address)
            let group = try EventLoopGroup(name: "broker", count: 1)
            let connection = ServerConnection(settings, group: group)
            let outcome: Result<Void, any Error>
            do {
                let client = BrokerControlServiceClient(connection)
                if let limit = try server.maximumTime() {
                    try await Deadline.within(limit) { () async throws in try await body(client) }
                } else {
                    try await body(client)
                }
                outcome = .success(())
            } catch let status as Status {
                Terminal.note(StatusText.describe(status))
                outcome = .failure(ToolFailure.status(status))
            } catch {
                outcome = .failure(error)
            }
            await connection.shutDown()
            group.shutDown()
            try outcome.get()
        }
    }

    /// For calls that have one answer.
    static let patience = CallOptions(timeout: .seconds(30))

    /// Shows an answer: as JSON, or as `text` makes it.
    func show(_ answer: some Message, _ text: () -> String) throws {
        say(json ? try answer.jsonString(options: JSONOptions(isPretty: true)) : text())
    }
}
