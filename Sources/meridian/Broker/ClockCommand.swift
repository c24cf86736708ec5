import ArgumentParser
import Contracts
import Protobuf
import RPCTool

/// `meridian broker clock`: a namespace's time.
struct ClockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clock", abstract: "Show, move, set, stop or start a namespace's clock.",
        discussion: """
            EXAMPLES
              meridian broker clock freeze
              meridian broker clock advance 90s
              meridian broker clock set 2026-11-27T18:00:00Z
              meridian broker clock run
            """,
        subcommands: [Show.self, Advance.self, Setting.self, Freeze.self, Start.self], defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "What it shows.")
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.run { client in
                let wanted = control.namespace.isEmpty ? "default" : control.namespace
                let all = try await client.listNamespaces(
                    BrokerListNamespacesRequest(), options: ControlOptions.patience)
                guard let clock = all.namespaces.first(where: { $0.name == wanted })?.clock else {
                    throw ToolFailure.other("There is no namespace \(wanted).")
                }
                try control.show(clock) { NamespaceText.clock(clock) }
            }
        }
    }

    struct Advance: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "advance", abstract: "Add to the time; what falls due meanwhile happens.")
        @Argument(help: "500ms, 5s, 2m, 1h.") var duration: String
        @OptionGroup var control: ControlOptions

        func validate() throws { _ = try DurationText.parse(duration) }
        func run() async throws {
            let duration = Google_Protobuf_Duration(try DurationText.parse(duration))
            try await control.set(BrokerSetClockRequest(namespace: control.namespace, change: .advance(duration)))
        }
    }

    struct Setting: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Set the time, not earlier than it is.")
        @Argument(help: "In UTC: 2026-11-27T18:00:00Z.") var time: String
        @OptionGroup var control: ControlOptions

        func validate() throws { _ = try parsed() }
        func run() async throws {
            try await control.set(BrokerSetClockRequest(namespace: control.namespace, change: .set(try parsed())))
        }

        private func parsed() throws -> Google_Protobuf_Timestamp { try WireText.time(time) }
    }

    struct Freeze: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "freeze", abstract: "Stop it: it stands until it is moved.")
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.set(BrokerSetClockRequest(namespace: control.namespace, mode: .frozen))
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Let it run with the machine's clock, from what it shows.")
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.set(BrokerSetClockRequest(namespace: control.namespace, mode: .running))
        }
    }
}

extension ControlOptions {
    fileprivate func set(_ request: BrokerSetClockRequest) async throws {
        try await run { client in
            let answer = try await client.setClock(request, options: Self.patience)
            try show(answer) { NamespaceText.clock(answer) }
        }
    }
}
