import ArgumentParser
import Contracts
import Protobuf
import RPCCore

/// `meridian broker journal`: what arrived, what was answered, what was delivered.
struct JournalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "Show a namespace's journal, oldest first.",
        discussion: """
            EXAMPLES
              meridian broker journal
              meridian broker journal --order order-1
              meridian broker journal --kind reply --reply-fate withheld
              meridian broker journal --follow --json     (one entry on a line, until Ctrl-C)
            """)
    @Flag(name: .shortAndLong, help: "Go on with new entries until interrupted.") var follow = false
    @Option(name: .long, help: "Leave out the entries up to this sequence.") var after: Int64 = 0
    @OptionGroup(title: "Entries") var matching: MatcherOptions
    @OptionGroup var control: ControlOptions

    func run() async throws {
        try await control.run { client in
            let request = BrokerQueryJournalRequest(
                namespace: control.namespace, afterSequence: after, matcher: try matching.matcher(), follow: follow)
            try await client.queryJournal(request) { entries in
                for try await entry in entries {
                    say(control.json ? try entry.jsonString() : JournalText.line(entry))
                }
            }
        }
    }
}

/// Entries as people read them, each on a line.
enum JournalText {
    static func line(_ entry: BrokerJournalEntry) -> String {
        "\(entry.sequence)  \(WireText.time(entry.time))  \(content(entry.entry))"
    }

    private static func content(_ entry: BrokerJournalEntry.Entry?) -> String {
        switch entry {
        case .request(let request):
            let subject = [request.account, request.clientOrderID].filter { !$0.isEmpty }.joined(separator: "/")
            return words([
                "request", "#\(request.requestNumber)", EnumText.text(request.operation), subject,
                "attempt \(request.attempt)", rules(request.decisions), request.body,
            ])
        case .reply(let reply):
            return words([
                "reply  ", "#\(reply.requestNumber)", EnumText.text(reply.fate),
                reply.code.map { status($0) } ?? "no answer", reply.reason,
                reply.shownCode.map { "shown as \(status($0))" } ?? "",
                reply.committed ? "committed \(reply.orderID)" : "",
            ])
        case .delivery(let delivery):
            return words([
                "report ", "#\(delivery.streamNumber)", EnumText.text(delivery.fate),
                "sequence \(delivery.reportSequence)", delivery.execID, "attempt \(delivery.attempt)",
                rules(delivery.decisions),
            ])
        case .control(let control): return words(["control", control.method, control.body])
        case nil: return "an entry of a newer broker"
        }
    }

    private static func status(_ code: Int32) -> String {
        Status.Code(rawValue: Int(code)).map { "\($0)" } ?? "\(code)"
    }

    private static func rules(_ decisions: [BrokerDecision]) -> String {
        decisions.isEmpty
            ? "" : "[" + decisions.map { "\($0.ruleID)@\(EnumText.text($0.at))" }.joined(separator: " ") + "]"
    }

    private static func words(_ words: [String]) -> String { words.filter { !$0.isEmpty }.joined(separator: "  ") }
}
