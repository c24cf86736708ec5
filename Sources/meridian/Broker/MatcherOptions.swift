import ArgumentParser
import Contracts
import RPCTool

/// Which entries of the journal: all that is given must hold.
struct MatcherOptions: ParsableArguments {
    @Option(name: .long, help: "request, reply, delivery or control; without it a request and its reply are two.")
    var kind: String?
    @Option(name: .long, help: "Requests and replies of this call: place-order, get-order, ...") var operation: String?
    @Option(name: .long, help: "About this account.") var account: String = ""
    @Option(name: .long, help: "About this client order id.") var order: String = ""
    @Option(name: .long, help: "Replies whose own status has this number: 0 is OK.") var code: Int32?
    @Option(name: .customLong("reply-fate"), help: "sent, withheld, replaced, broken, caller-gone, crashed.")
    var replyFate: String?
    @Option(name: .customLong("delivery-fate"), help: "delivered, duplicated, dropped, corrupted.")
    var deliveryFate: String?
    @Option(name: .long, help: "For which this rule fired.") var rule: String = ""
    @Flag(inversion: .prefixedNo, help: "Replies to requests that changed the books, or did not.")
    var committed: Bool?
    @Option(name: .long, help: "This attempt, from 1.") var attempt: Int32 = 0
    @Option(name: .long, help: "Reports of this execution.") var execution: String = ""

    func matcher() throws -> BrokerJournalMatcher {
        BrokerJournalMatcher(
            operation: try operation.map { try EnumText.value($0, "--operation") } ?? .unspecified, account: account,
            clientOrderID: order, code: code,
            replyFate: try replyFate.map { try EnumText.value($0, "--reply-fate") } ?? .unspecified,
            deliveryFate: try deliveryFate.map { try EnumText.value($0, "--delivery-fate") } ?? .unspecified,
            ruleID: rule, committed: committed, attempt: attempt,
            kind: try kind.map { try EnumText.value($0, "--kind") } ?? .unspecified, execID: execution)
    }
}
