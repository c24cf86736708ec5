import ArgumentParser

/// `meridian broker`: tells a running mock broker what to do, and asks it what it knows.
struct BrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Steer a mock broker, and ask it what it really knows.",
        discussion: """
            Speaks to the control service of a mock broker: --at ADDRESS, or the environment's MERIDIAN_BROKER_CONTROL, or
            http://127.0.0.1:7461, where `meridian mock-broker` has it. --stack means the one of `meridian up`.

            Tables are for people; --json prints what the service answered, for programs.

            EXIT CODES
              0        done; verify: it holds; diff: no difference
              1        verify: it does not hold; diff: there are differences
              2        no connection
              64       the command or a file is not valid; nothing was sent
              65...80  64 plus the code of the status: 67 INVALID_ARGUMENT, 69 NOT_FOUND, 76 UNIMPLEMENTED, ...

            EXAMPLES
              meridian broker rules put rule.json
              meridian broker behavior show -n team-a
              meridian broker clock freeze && meridian broker clock advance 1h
              meridian broker verify --operation place-order --kind request --order a-1 --exactly 2
              meridian broker journal --follow --json
            """,
        subcommands: [
            RulesCommand.self, BehaviorCommand.self, PresetCommand.self, NamespaceCommand.self, ClockCommand.self,
            PriceCommand.self, FillCommand.self, BustCommand.self, MassBustCommand.self, CorrectCommand.self,
            TruthCommand.self, JournalCommand.self, VerifyCommand.self, DiffCommand.self, DecisionsCommand.self,
            CrashCommand.self,
        ])
}
