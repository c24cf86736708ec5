import ArgumentParser
import Foundation

/// Runs the command off the main thread, which only waits for it: an asynchronous `main` would park that thread in
/// libdispatch, where tools that count instructions cannot follow.
@main
enum Program {
    static func main() {
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            await Meridian.main()
            done.signal()
        }
        done.wait()
    }
}

/// The one program of the project.
struct Meridian: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meridian",
        abstract: "Takes one share from an overseas broker to a customer in Seoul, and loses nothing on the way.",
        discussion: """
            EXAMPLES
              meridian demo                     one order's whole journey, on real parts
              meridian up                       the whole stack, until interrupted
              meridian call channel.GetOrder -d '{"clientOrderId":"a-1"}' ...
              meridian call http://127.0.0.1:50051 example.v1.Library/GetBook -d '{"id":7}'
              meridian serve trading --env trading.env

            Run through the launcher ./meridian, it installs and builds what is missing first.
            """,
        version: "0.1.0",
        subcommands: [
            Demo.self, Up.self, Serve.self, List.self, Describe.self, Call.self, Token.self, Audit.self, Bench.self,
            MockBrokerCommand.self, BrokerCommand.self,
        ])
}
