import ArgumentParser
import Contracts
import Protobuf
import RPCTool

/// `meridian broker verify`: whether the journal says what is expected.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Say whether an expectation about the journal holds: exit code 0, or 1.",
        discussion: """
            EXAMPLES
              meridian broker verify --operation place-order --kind request --order order-1 --exactly 2
              meridian broker verify --committed --at-most 1 --order order-1
              meridian broker verify --in-order matchers.json

            matchers.json lists meridian.broker.v1.JournalMatcher, each found after the one before:
              [{"clientOrderId":"order-1","replyFate":"REPLY_FATE_WITHHELD"},
               {"clientOrderId":"order-1","operation":"OPERATION_GET_ORDER"}]
            """)
    @Option(name: .long, help: "So many entries.") var exactly: Int64?
    @Option(name: .customLong("at-least"), help: "So many or more.") var atLeast: Int64?
    @Option(name: .customLong("at-most"), help: "So many or fewer.") var atMost: Int64?
    @Option(name: .customLong("in-order"), help: "JSON: 2 to 100 matchers; - is standard input.", completion: .file())
    var inOrder: String?
    @OptionGroup(title: "Entries") var matching: MatcherOptions
    @OptionGroup var control: ControlOptions

    func validate() throws {
        let count = [exactly, atLeast, atMost].compactMap(\.self).count + (inOrder == nil ? 0 : 1)
        guard count == 1 else {
            throw ValidationError("One of --exactly, --at-least, --at-most and --in-order says what is expected.")
        }
    }

    func run() async throws {
        var holds = false
        try await control.run { client in
            let answer = try await client.verify(
                BrokerVerifyRequest(namespace: control.namespace, expectation: try expectation()),
                options: ControlOptions.patience)
            holds = answer.holds
            try control.show(answer) {
                ([(holds ? "holds: " : "DOES NOT HOLD: ") + answer.explanation]
                    + answer.examples.map { "  " + JournalText.line($0) }).joined(separator: "\n")
            }
        }
        if !holds { throw ExitCode(1) }
    }

    private func expectation() throws -> BrokerVerifyRequest.Expectation {
        if let inOrder {
            let text = try InputText.read("@\(inOrder)")
            do {
                return .order(try BrokerOrderExpectation(json: "{\"matchers\":\(text)}"))
            } catch {
                throw ToolFailure.invalid("\(inOrder): \(error)")
            }
        }
        let bound: BrokerCountExpectation.Bound? =
            exactly.map { .exactly($0) } ?? atLeast.map { .atLeast($0) } ?? atMost.map { .atMost($0) }
        return .count(BrokerCountExpectation(matcher: try matching.matcher(), bound: bound))
    }
}

/// `meridian broker diff`: a client's view against the truth.
struct DiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Say how a client's view differs from the truth: exit code 0 when it does not, or 1.",
        discussion: """
            The file holds a meridian.broker.v1.DiffRequest: all that the client believes, not a part.

            EXAMPLES
              meridian broker diff view.json
              echo '{"account":"alice","orders":[],"executions":[],"positions":[]}' | meridian broker diff -
            """)
    @Argument(help: "JSON: a meridian.broker.v1.DiffRequest; - is standard input.", completion: .file())
    var file: String
    @OptionGroup var control: ControlOptions

    func run() async throws {
        var isSame = false
        try await control.run { client in
            var request: BrokerDiffRequest = try BrokerFiles.message(file)
            if !control.namespace.isEmpty { request.namespace = control.namespace }
            let answer = try await client.diff(request, options: ControlOptions.patience)
            isSame = answer.differences.isEmpty
            try control.show(answer) {
                TextTable.text(
                    ["DIFFERENCE", "SUBJECT", "FIELD", "BROKER", "CLIENT"],
                    answer.differences.map {
                        [EnumText.text($0.kind), $0.subject, $0.field, $0.broker, $0.client]
                    }, empty: "No difference.")
            }
        }
        if !isSame { throw ExitCode(1) }
    }
}
