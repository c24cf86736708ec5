import ArgumentParser

/// `meridian bench`: figures of the real stack, and of any gRPC server.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the real stack, a part of it, or a method of any gRPC server.",
        subcommands: [
            BenchOrders.self, BenchBroker.self, BenchRPC.self, BenchEchoServer.self, BenchEchoClient.self,
        ])
}
