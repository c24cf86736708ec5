import ArgumentParser
import EventLoop
import RPC
import RPCTool

/// `meridian bench echo-client`: what the RPC client costs, and what streams cost a server.
struct BenchEchoClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-client",
        abstract: "Load a server of echo.Echo with the generated client; print answers per CPU second.",
        discussion: """
            Each of the connections has --calls callers, and each of them begins its next call when the last has ended. With
            --window each caller keeps one bidirectional stream instead, with so many messages that are not answered yet,
            and an answer is a message.

            One event loop does it all, with the defaults of every client and a deadline for each call. A failed call ends
            the load. Pin it and the server to a core each for figures that repeat.

            EXAMPLES
              meridian bench echo-client http://127.0.0.1:7700 --connections 4 --calls 32
              meridian bench echo-client http://127.0.0.1:7700 --calls 8 --window 16 --server-pid 4711
            """)

    @Argument(help: "ADDRESS")
    var address: String

    @Option(name: .long, help: "Connections, 1 to 256.")
    var connections = 1

    @Option(name: .long, help: "Callers on each connection, 1 to 1000.")
    var calls = 1

    @Option(name: .long, help: "Messages under way on each stream, 1 to 256; unary calls without it.")
    var window: Int?

    @Option(name: .long, help: "How long it is measured, up to 1m.")
    var duration = "2s"

    @Option(name: .customLong("warm-up"), help: "How long the same load comes first, unmeasured, up to 1m.")
    var warmUp = "500ms"

    @Option(name: .customLong("server-pid"), help: "The server's process, whose CPU seconds are told too.")
    var serverProcess: Int32?

    @OptionGroup(title: "Server")
    var server: ServerOptions

    func validate() throws {
        _ = try target()
        _ = try plan()
    }

    func run() async throws {
        try await Terminal.run {
            let settings = try server.settings(for: try target())
            let clock = try serverProcess.map { try ProcessorClock(process: $0) }
            let group = try EventLoopGroup(name: "echo", count: 1)
            let channels = (0..<connections).map { _ in settings.channel(group, waitingCalls: calls) }
            let load = EchoLoad(try plan(), over: channels, on: group.loops[0], server: clock)
            let outcome: Result<EchoFigures, any Error>
            do { outcome = .success(try await load.run()) } catch { outcome = .failure(error) }
            for channel in channels { await channel.shutDown() }
            group.shutDown()
            say(try outcome.get().text)
        }
    }

    private func target() throws -> ServerAddress {
        guard let address = try Words([address], nameIsCalled: "").address else {
            throw ValidationError("\(address) is no address; write http://host:port.")
        }
        return address
    }

    private func plan() throws -> EchoLoad.Plan {
        guard (1...256).contains(connections) else { throw ValidationError("--connections goes from 1 to 256.") }
        guard (1...1000).contains(calls) else { throw ValidationError("--calls goes from 1 to 1000.") }
        // All of a window fits into what flow control allows a stream from its start, so that no side waits to write
        // while nobody reads.
        guard (1...256).contains(window ?? 1) else { throw ValidationError("--window goes from 1 to 256.") }
        let times = try (DurationText.parse(warmUp), DurationText.parse(duration))
        guard max(times.0, times.1) <= .seconds(60) else {
            throw ValidationError("--duration and --warm-up go up to 1m.")
        }
        return EchoLoad.Plan(
            shape: window.map { .stream(window: $0) } ?? .unary, callers: calls, warmUp: times.0, duration: times.1)
    }
}
