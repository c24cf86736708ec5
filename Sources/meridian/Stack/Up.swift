import ArgumentParser
import Foundation

/// `meridian up`: the whole stack, until interrupted.
struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the whole stack on this machine until interrupted; data is kept.",
        discussion: """
            EXAMPLES
              meridian up
              meridian up --listen 127.0.0.1:7443 --folder /var/tmp/mine
              meridian call account-krw.OpenAccount -d '{"accountId":"a","customerId":"c","currency":"KRW"}'
            """)

    @Option(name: .long, help: "Where customers reach the door, over TLS.")
    var listen: String = "127.0.0.1:7443"

    @Option(name: .long, help: "The folder for data, keys, sockets and logs.")
    var folder: String = StackFolder.defaultPath

    func run() async throws {
        let stop = StopSignal()
        let stack = try Stack(folder: StackFolder(path: folder), options: Stack.Options(channelListen: listen))
        do {
            say("Starting Meridian in \(folder)")
            try await stack.start { say("  · \($0)") }
        } catch {
            await stack.stop()
            throw error
        }
        say(
            """
            Ready. The door is at \(listen) (TLS, authority \(folder)/certs/ca.pem); logs are in \(folder)/log.
            Try:  ./meridian call --methods        Stop with Ctrl-C.
            """)
        await stop.wait()
        say("Stopping.")
        await stack.stop()
    }
}
