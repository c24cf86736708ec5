import ArgumentParser
import Contracts
import Domain
import Protobuf
import RPCCore

/// `meridian broker price`: moves the market.
struct PriceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "price", abstract: "Move a price.", subcommands: [Setting.self])

    struct Setting: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Move the price of a symbol, or list a new one; orders that it touches fill.",
            discussion: """
                EXAMPLES
                  meridian broker price set AAPL 219.50
                """)
        @Argument(help: "For example AAPL.") var symbol: String
        @Argument(help: "In US dollars.") var price: String
        @OptionGroup var control: ControlOptions

        func validate() throws { _ = try WireText.decimal(price, as: Price.self) }
        func run() async throws {
            try await control.run { client in
                let answer = try await client.setPrice(
                    BrokerSetPriceRequest(
                        symbol: symbol, price: try WireText.decimal(price, as: Price.self),
                        namespace: control.namespace), options: ControlOptions.patience)
                try control.show(answer) { "\(symbol) is at \(price); it touched \(answer.touchedOrders) orders." }
            }
        }
    }
}

/// `meridian broker fill`: a fill by hand.
struct FillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fill", abstract: "Fill a working order, or part of it, now.",
        discussion: """
            EXAMPLES
              meridian broker fill order-1
              meridian broker fill order-1 --qty 2 --price 223.10 --account alice
            """)
    @Argument(help: "The client order id.") var order: String
    @Option(name: .long, help: "Shares; all that is left if missing.") var qty: String?
    @Option(name: .long, help: "In US dollars; the current price if missing.") var price: String?
    @Option(name: .long, help: "The account; the latest order of that id in any if missing.") var account: String = ""
    @OptionGroup var control: ControlOptions

    func validate() throws {
        _ = try qty.map { try WireText.decimal($0, as: Quantity.self) }
        _ = try price.map { try WireText.decimal($0, as: Price.self) }
    }

    func run() async throws {
        try await control.run { client in
            let answer = try await client.fillOrder(
                BrokerFillOrderRequest(
                    clientOrderID: order, qty: try qty.map { try WireText.decimal($0, as: Quantity.self) },
                    price: try price.map { try WireText.decimal($0, as: Price.self) }, account: account,
                    namespace: control.namespace), options: ControlOptions.patience)
            try control.show(answer) { TruthText.reports([answer.report].compactMap(\.self)) }
        }
    }
}

/// `meridian broker bust`: an execution that never was.
struct BustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bust", abstract: "Declare one execution void.",
        discussion: """
            EXAMPLES
              meridian broker bust 1f0c… --text "erroneous print"
            """)
    @Argument(help: "The execution id.") var execution: String
    @Option(name: .long, help: "For people.") var text: String = ""
    @OptionGroup var control: ControlOptions

    func run() async throws {
        try await control.run { client in
            let answer = try await client.bustExecution(
                BrokerBustExecutionRequest(namespace: control.namespace, execID: execution, text: text),
                options: ControlOptions.patience)
            try control.show(answer) { TruthText.reports([answer.report].compactMap(\.self)) }
        }
    }
}

/// `meridian broker mass-bust`: a venue that cancels its trades.
struct MassBustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mass-bust", abstract: "Declare all executions of a time window void.",
        discussion: """
            EXAMPLES
              meridian broker mass-bust --dry-run
              meridian broker mass-bust --from 2026-11-20T15:00:00Z --to 2026-11-20T15:05:00Z --symbol AAPL
            """)
    @Option(name: .long, help: "From this time on; from the beginning if missing.") var from: String?
    @Option(name: .long, help: "Before this time; to the end if missing.") var to: String?
    @Option(name: .long, help: "Only this symbol.") var symbol: String = ""
    @Option(name: .long, help: "For people.") var text: String = ""
    @Flag(name: .customLong("dry-run"), help: "Only count.") var isDryRun = false
    @OptionGroup var control: ControlOptions

    func validate() throws { _ = try (from.map(WireText.time), to.map(WireText.time)) }

    func run() async throws {
        try await control.run { client in
            let answer = try await client.massBust(
                BrokerMassBustRequest(
                    namespace: control.namespace, from: try from.map(WireText.time), to: try to.map(WireText.time),
                    symbol: symbol, text: text, dryRun: isDryRun), options: ControlOptions.patience)
            try control.show(answer) {
                ([isDryRun ? "\(answer.count) executions would be void" : "\(answer.count) executions are void"]
                    + answer.execIDs).joined(separator: "\n")
            }
        }
    }
}

/// `meridian broker correct`: an execution as it should have been.
struct CorrectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "correct", abstract: "Change price or quantity of one execution.",
        discussion: """
            EXAMPLES
              meridian broker correct 1f0c… --price 223.01
            """)
    @Argument(help: "The execution id.") var execution: String
    @Option(name: .long, help: "Shares; unchanged if missing.") var qty: String?
    @Option(name: .long, help: "In US dollars; unchanged if missing.") var price: String?
    @Option(name: .long, help: "For people.") var text: String = ""
    @OptionGroup var control: ControlOptions

    func validate() throws {
        _ = try qty.map { try WireText.decimal($0, as: Quantity.self) }
        _ = try price.map { try WireText.decimal($0, as: Price.self) }
    }

    func run() async throws {
        try await control.run { client in
            let answer = try await client.correctExecution(
                BrokerCorrectExecutionRequest(
                    namespace: control.namespace, execID: execution,
                    qty: try qty.map { try WireText.decimal($0, as: Quantity.self) },
                    price: try price.map { try WireText.decimal($0, as: Price.self) }, text: text),
                options: ControlOptions.patience)
            try control.show(answer) { TruthText.reports([answer.report].compactMap(\.self)) }
        }
    }
}

/// `meridian broker crash`: the end of the process, now.
struct CrashCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crash",
        abstract: "Kill the broker's process (SIGKILL), with or without a loss of its last writes.",
        discussion: """
            EXAMPLES
              meridian broker crash
              meridian broker crash --lose 2s
              meridian broker crash --lose-everything
            """)
    @Option(name: .long, help: "What was committed during this time, as a disk that lied would: 500ms, 2s.")
    var lose: String?
    @Flag(name: .customLong("lose-everything"), help: "All of its truth.") var losesEverything = false
    @OptionGroup var control: ControlOptions

    func validate() throws {
        guard lose == nil || !losesEverything else {
            throw ValidationError("--lose and --lose-everything are two losses.")
        }
        _ = try lose.map(DurationText.parse)
    }

    func run() async throws {
        try await control.run { client in
            var fault = BrokerCrashFault()
            if let lose { fault.loss = .lastWrites(Google_Protobuf_Duration(try DurationText.parse(lose))) }
            if losesEverything { fault.loss = .everything(BrokerEverything()) }
            do {
                _ = try await client.crash(BrokerCrashRequest(fault: fault), options: ControlOptions.patience)
            } catch let status as Status where status.code == .unavailable && status.details.isEmpty {
                // Nobody is left to answer: that is the answer.
                say("The broker is gone.")
            }
        }
    }
}
