import ArgumentParser
import Contracts
import Protobuf

/// `meridian broker behavior`: what a broker is, apart from its faults.
struct BehaviorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "behavior", abstract: "Show or replace a namespace's behaviour.",
        discussion: """
            EXAMPLES
              meridian broker behavior show
              meridian broker behavior show > behavior.json     (edit it, then)
              meridian broker behavior set behavior.json
              echo '{"seed":"7","idempotencyMode":"IDEMPOTENCY_MODE_REJECT_DUPLICATE"}' | meridian broker behavior set -
            """,
        subcommands: [Show.self, Setting.self], defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "The behaviour in force, as `set` reads it.")
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.run { client in
                let answer = try await client.getBehavior(
                    BrokerGetBehaviorRequest(namespace: control.namespace), options: ControlOptions.patience)
                say(try answer.jsonString(options: JSONOptions(isPretty: true)))
            }
        }
    }

    struct Setting: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Replace it; what the file does not say goes back to its default.")
        @Argument(help: "JSON: a meridian.broker.v1.Behavior; - is standard input.", completion: .file())
        var file: String
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.run { client in
                let answer = try await client.setBehavior(
                    BrokerSetBehaviorRequest(
                        behavior: try BrokerFiles.behavior(file), namespace: control.namespace),
                    options: ControlOptions.patience)
                say(try answer.jsonString(options: JSONOptions(isPretty: true)))
            }
        }
    }
}

/// `meridian broker preset`: behaviour and rules in one word.
struct PresetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preset", abstract: "Replace behaviour and rules by those of a preset.",
        discussion: """
            EXAMPLES
              meridian broker preset calm
              meridian broker preset lost_acks --seed 7 -n team-a
            """)

    @Argument(help: "Its name; an unknown one lists all.") var name: String
    @Option(name: .long, help: "The seed of every draw.") var seed: Int64 = 0
    @OptionGroup var control: ControlOptions

    func run() async throws {
        try await control.run { client in
            let answer = try await client.loadPreset(
                BrokerLoadPresetRequest(namespace: control.namespace, preset: name, seed: seed),
                options: ControlOptions.patience)
            try control.show(answer) { RulesText.table(answer.rules) }
        }
    }
}
