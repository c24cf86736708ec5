import ArgumentParser
import Contracts
import Protobuf

/// `meridian broker namespace`: books, rules, clock and journal of one test each.
struct NamespaceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "namespace", abstract: "List, make, empty or end namespaces.",
        discussion: """
            EXAMPLES
              meridian broker namespace create team-a --preset overseas --seed 7
              meridian broker namespace create team-b --rules rules.json
              meridian broker namespace reset team-a
              meridian broker namespace delete team-b
            """,
        subcommands: [Listing.self, Create.self, Reset.self, Delete.self], defaultSubcommand: Listing.self)

    struct Listing: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "All namespaces.")
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.run { client in
                let answer = try await client.listNamespaces(
                    BrokerListNamespacesRequest(), options: ControlOptions.patience)
                try control.show(answer) { NamespaceText.table(answer.namespaces) }
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a namespace.")
        @Argument(help: "1 to 64 of 0-9 A-Z a-z _ . -") var name: String
        @Option(name: .long, help: "Begin with this preset's behaviour and rules.") var preset: String = ""
        @Option(name: .long, help: "The preset's seed.") var seed: Int64 = 0
        @Option(name: .long, help: "JSON: its behaviour; - is standard input.", completion: .file())
        var behavior: String?
        @Option(name: .long, help: "JSON: its rules; - is standard input.", completion: .file()) var rules: String?
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.run { client in
                let answer = try await client.createNamespace(
                    BrokerCreateNamespaceRequest(
                        namespace: name, behavior: try behavior.map { try BrokerFiles.behavior($0) }, preset: preset,
                        seed: seed, rules: try rules.map { try BrokerFiles.rules($0) } ?? []),
                    options: ControlOptions.patience)
                try control.show(answer) { NamespaceText.table([answer]) }
            }
        }
    }

    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset", abstract: "Empty a namespace; behaviour and rules stay.")
        @Argument(help: "Its name.") var name: String
        @Flag(name: .customLong("keep-truth"), help: "Keep the books.") var keepsTruth = false
        @Flag(name: .customLong("keep-journal"), help: "Keep the journal and the counts of attempts.")
        var keepsJournal = false
        @Flag(name: .customLong("drop-rules"), help: "Take all rules away, too.") var dropsRules = false
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.run { client in
                let answer = try await client.resetNamespace(
                    BrokerResetNamespaceRequest(
                        namespace: name, keepTruth: keepsTruth, keepJournal: keepsJournal, dropRules: dropsRules),
                    options: ControlOptions.patience)
                try control.show(answer) { NamespaceText.table([answer]) }
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "delete", abstract: "End a namespace.")
        @Argument(help: "Its name.") var name: String
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.run { client in
                let answer = try await client.deleteNamespace(
                    BrokerDeleteNamespaceRequest(namespace: name), options: ControlOptions.patience)
                try control.show(answer) { "\(name) is gone." }
            }
        }
    }
}

/// Namespaces as people read them.
enum NamespaceText {
    static func table(_ namespaces: [BrokerNamespace]) -> String {
        TextTable.text(
            ["NAMESPACE", "SEED", "IDEMPOTENCY", "RULES", "ORDERS", "CLOCK"],
            namespaces.map { space in
                [
                    space.name, "\(space.behavior?.seed ?? 0)",
                    EnumText.text(space.behavior?.idempotencyMode ?? .unspecified), "\(space.ruleCount)",
                    "\(space.orderCount)", clock(space.clock ?? BrokerClockState()),
                ]
            }, empty: "No namespaces.")
    }

    static func clock(_ state: BrokerClockState) -> String {
        let due = state.nextDue.map { ", next due \(WireText.time($0))" } ?? ""
        return "\(WireText.time(state.now)) \(EnumText.text(state.mode))\(due)"
    }
}
