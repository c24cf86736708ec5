import ArgumentParser

/// `meridian bench`: figures of the real stack.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the real stack under a load with a fixed arrival rate.", subcommands: [BenchOrders.self])
}
