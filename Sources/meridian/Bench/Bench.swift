import ArgumentParser

/// `meridian bench`: figures of the real stack.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the real stack, or a part of it.", subcommands: [BenchOrders.self, BenchEchoServer.self])
}
