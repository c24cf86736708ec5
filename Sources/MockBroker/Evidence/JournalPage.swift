internal import Domain

/// Some of a journal, as far as it was looked through.
struct JournalPage: Sendable {
    struct Line: Sendable {
        let entry: EvidenceEntry
        /// The report's, for a delivery.
        let execution: String
    }

    let lines: [Line]
    /// The last sequence that was looked at.
    let end: Int
    /// The first sequence that memory holds, and the last.
    let oldest: Int
    let newest: Int
}

extension BrokerBook {
    /// The entries that match among the next `limit` after `sequence`.
    func journal(after sequence: Int, limit: Int, _ matcher: JournalMatcher) -> JournalPage {
        let entries = evidence.entries(after: sequence, limit: limit)
        return JournalPage(
            lines: entries.filter { matcher.matches($0, self) }.map(line), end: entries.last?.sequence ?? sequence,
            oldest: evidence.forgotten + 1, newest: evidence.last)
    }

    func line(_ entry: EvidenceEntry) -> JournalPage.Line {
        guard case .delivery(_, let sequence, _, _, _) = entry.content else {
            return JournalPage.Line(entry: entry, execution: "")
        }
        let report = feed[sequence - 1]
        return JournalPage.Line(
            entry: entry, execution: orders[report.order].executionID(ordinal: report.ordinal).text)
    }
}
