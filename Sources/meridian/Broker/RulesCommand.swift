import ArgumentParser
import Contracts
import Protobuf

/// `meridian broker rules`: what a broker does wrong.
struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "List, add, replace or take away rules.",
        discussion: """
            EXAMPLES
              meridian broker rules list
              meridian broker rules put rule.json
              meridian broker rules set rules.json
              meridian broker rules delete lost-acks

            A rule that commits and does not answer the first attempt of each order:
              {"ruleId":"lost-acks","when":{"operations":["OPERATION_PLACE_ORDER"],"toAttempt":1},
               "at":"INJECTION_POINT_AFTER_COMMIT_BEFORE_REPLY","rpc":{"noAnswer":{}}}
            """,
        subcommands: [Listing.self, Put.self, Setting.self, Delete.self], defaultSubcommand: Listing.self)

    struct Listing: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "The rules in the order in which they are asked, and what each has done.")
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.run { client in
                let answer = try await client.listRules(
                    BrokerListRulesRequest(namespace: control.namespace), options: ControlOptions.patience)
                try control.show(answer) { RulesText.table(answer.rules) }
            }
        }
    }

    struct Put: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "put", abstract: "Add the rules of a file; one of the same id is replaced, and counts anew.")
        @Argument(help: "JSON: a rule, a list, or {\"rules\":[...]}; - is standard input.", completion: .file())
        var file: String
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.run { client in
                for rule in try BrokerFiles.rules(file) {
                    let answer = try await client.putRule(
                        BrokerPutRuleRequest(namespace: control.namespace, rule: rule), options: ControlOptions.patience
                    )
                    try control.show(answer) { "\(answer.ruleID) is in force." }
                }
            }
        }
    }

    struct Setting: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Replace all rules by those of a file; the same ones keep their counts.")
        @Argument(help: "JSON: a rule, a list, or {\"rules\":[...]}; - is standard input.", completion: .file())
        var file: String
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.run { client in
                let answer = try await client.setRules(
                    BrokerSetRulesRequest(namespace: control.namespace, rules: try BrokerFiles.rules(file)),
                    options: ControlOptions.patience)
                try control.show(answer) { RulesText.table(answer.rules) }
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "delete", abstract: "Take rules away.")
        @Argument(help: "Their ids.") var ids: [String]
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.run { client in
                for id in ids {
                    let answer = try await client.deleteRule(
                        BrokerDeleteRuleRequest(namespace: control.namespace, ruleID: id),
                        options: ControlOptions.patience)
                    try control.show(answer) { "\(id) is gone." }
                }
            }
        }
    }
}

/// Rules as people read them.
enum RulesText {
    static func table(_ rules: [BrokerRuleState]) -> String {
        TextTable.text(
            ["RULE", "PRIORITY", "AT", "ACTION", "PROBABILITY", "MATCHED", "FIRED", "LAST FIRED"],
            rules.map { state in
                let rule = state.rule ?? BrokerRule()
                return [
                    rule.ruleID + (rule.disabled ? " (off)" : ""), "\(rule.priority)",
                    rule.at == .unspecified ? "usual" : EnumText.text(rule.at), action(rule),
                    rule.probability.map { "\($0)" } ?? "1", "\(state.matched)", "\(state.fired)",
                    WireText.time(state.lastFired),
                ]
            }, empty: "No rules.")
    }

    /// The action's name in the contract.
    private static func action(_ rule: BrokerRule) -> String {
        switch rule.action {
        case .latency: "latency"
        case .rpc: "rpc"
        case .transport: "transport"
        case .order: "order"
        case .fills: "fills"
        case .event: "event"
        case .visibility: "visibility"
        case .capacity: "capacity"
        case .crash: "crash"
        case nil: ""
        }
    }
}
