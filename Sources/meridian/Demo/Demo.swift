import ArgumentParser
import Foundation

/// `meridian demo`: one order's whole journey on real parts.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show one order's whole journey, with faults, and prove that the books balance.",
        discussion: """
            Starts a private PostgreSQL, Redis and all services in a temporary folder, lets a customer with 2,000,000 won
            buy one share of Apple from a broker that loses its first reply and delivers each fill three times, cancels a
            second order, has a third refused, and checks every book. Leaves nothing running; exits with 1 if a check
            fails.

            EXAMPLES
              meridian demo
              meridian demo --seed 11 --keep
            """)

    @Option(name: .long, help: "The seed of every draw of the broker.")
    var seed: Int64 = 7

    @Flag(name: .long, help: "Keep the folder with logs and data.")
    var keep = false

    func run() async throws {
        let stop = StopSignal()
        let path = "/tmp/meridian-demo-\(ProcessInfo.processInfo.processIdentifier)"
        let folder = StackFolder(path: path)
        defer { if !keep { try? FileManager.default.removeItem(atPath: path) } }
        let stack = try Stack(folder: folder, options: DemoStory.options)
        let story = DemoStory(stack: stack, seed: seed)
        let passed = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { try await story.tell() }
            group.addTask {
                await stop.wait()
                throw CancellationError()
            }
            let outcome: Result<Bool, any Error>
            do {
                outcome = .success(try await group.next() ?? false)
            } catch {
                outcome = .failure(error)
            }
            group.cancelAll()
            await stack.stop()
            return try outcome.get()
        }
        if keep { print("The folder is \(path).") }
        if !passed { throw ExitCode(1) }
    }
}
