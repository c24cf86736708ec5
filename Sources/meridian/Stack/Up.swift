import ArgumentParser
import Foundation

/// `meridian up`: the whole stack, until interrupted.
struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the whole stack on this machine until interrupted; data is kept.",
        discussion: """
            EXAMPLES
              meridian up
              meridian up --listen 127.0.0.1:0 --metrics-port 0 --folder /var/tmp/mine
              meridian call account-krw.OpenAccount -d '{"accountId":"a","customerId":"c","currency":"KRW"}'
            """)

    @Option(name: .long, help: "Where customers reach the door, over TLS; port 0 lets the kernel choose.")
    var listen: String = "127.0.0.1:7443"

    @Option(
        name: .long,
        help: "The first of eight ports on 127.0.0.1, one for each service's metrics; 0 lets the kernel choose them.")
    var metricsPort: UInt16 = 7450

    @Option(name: .long, help: "The folder for data, keys, sockets and logs.")
    var folder: String = StackFolder.defaultPath

    func validate() throws {
        guard Int(metricsPort) + Stack.services.count <= 65_536 else {
            throw ValidationError("--metrics-port leaves no room for \(Stack.services.count) ports.")
        }
    }

    func run() async throws {
        let stop = StopSignal()
        let stack = try Stack(
            folder: StackFolder(path: folder),
            options: Stack.Options(channelListen: listen, metricsPort: metricsPort))
        do {
            say("Starting Meridian in \(folder)")
            try await stack.start { say("  · \($0)") }
            try await tellAddresses(of: stack)
        } catch {
            await stack.stop()
            throw error
        }
        await stop.wait()
        say("Stopping.")
        await stack.stop()
    }

    private func tellAddresses(of stack: Stack) async throws {
        say("Metrics, for Prometheus:")
        for service in Stack.services {
            let metrics = try await stack.addresses(of: service).metrics ?? "-"
            say("  http://\(metrics)/metrics  \(service.rawValue)")
        }
        let door = try await stack.addresses(of: .channel).serving ?? listen
        say(
            """
            Ready. The door is at \(door) (TLS, authority \(folder)/certs/ca.pem); logs are in \(folder)/log.
            Try:  ./meridian list --methods        Stop with Ctrl-C.
            """)
    }
}
