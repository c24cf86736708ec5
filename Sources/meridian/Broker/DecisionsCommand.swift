import ArgumentParser
import Contracts
import Foundation
import Protobuf
import RPCCore
import RPCTool

/// `meridian broker decisions`: chance, written down and played again.
struct DecisionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decisions", abstract: "Write the decision log to a file, or let a namespace decide as one says.",
        discussion: """
            One decision on a line, as JSON, in the log's one order: the same seed gives the same bytes.

            EXAMPLES
              meridian broker decisions export run.jsonl
              meridian broker decisions import run.jsonl -n replay
            """,
        subcommands: [Export.self, Import.self])

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "export", abstract: "Write the log.")
        @Argument(help: "To this file; standard output if missing.", completion: .file()) var file: String?
        @OptionGroup var control: ControlOptions

        func run() async throws {
            try await control.run { client in
                var text = ""
                let count = try await client.exportDecisions(
                    BrokerExportDecisionsRequest(namespace: control.namespace)
                ) { decisions in
                    var count = 0
                    for try await decision in decisions {
                        let line = try decision.jsonString()
                        count += 1
                        if file == nil { say(line) } else { text += line + "\n" }
                    }
                    return count
                }
                guard let file else { return }
                do {
                    try Data(text.utf8).write(to: URL(filePath: file), options: .atomic)
                } catch {
                    throw ToolFailure.other("\(file) cannot be written: \(error)")
                }
                Terminal.note("\(count) decisions are in \(file).")
            }
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Decide as the log says; what it does not know does not fire.")
        @Argument(help: "What `export` wrote; - is standard input.", completion: .file()) var file: String
        @OptionGroup var control: ControlOptions

        /// Decisions in one message.
        private static let batch = 200

        func run() async throws {
            try await control.run { client in
                let decisions = try Self.read(file)
                let answer = try await client.importDecisions(options: ControlOptions.patience) { writer in
                    try await writer.write(BrokerImportDecisionsRequest(namespace: control.namespace))
                    for start in stride(from: 0, to: decisions.count, by: Self.batch) {
                        try await writer.write(
                            BrokerImportDecisionsRequest(decisions: Array(decisions[start...].prefix(Self.batch))))
                    }
                }
                try control.show(answer) { "\(answer.count) decisions are in force." }
            }
        }

        private static func read(_ file: String) throws -> [BrokerDecision] {
            let lines = try InputText.read("@\(file)").split(separator: "\n")
            return try lines.enumerated().map { index, line in
                do {
                    return try BrokerDecision(json: String(line))
                } catch {
                    throw ToolFailure.invalid("\(file): line \(index + 1): \(error)")
                }
            }
        }
    }
}
