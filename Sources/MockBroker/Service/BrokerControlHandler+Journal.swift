internal import Contracts
internal import Domain
internal import Protobuf
internal import RPCCore

/// What the journal says, and whether it says what a test expects.
extension BrokerControlHandler {
    /// Entries that are looked through under the books' lock at a time.
    private static let pageLimit = 256

    func queryJournal(
        _ request: BrokerQueryJournalRequest, responses: ResponseStream<BrokerJournalEntry>, context: ServerContext
    ) async throws {
        let matcher: JournalMatcher
        do {
            matcher = try JournalMatcher(request.matcher ?? BrokerJournalMatcher())
        } catch {
            throw BrokerRefusal.invalidSetting(error.within("matcher"))
        }
        var last = Int(
            try Self.setting { () throws(InvalidSetting) in
                try SettingReader.number(request.afterSequence, in: 0...Int64.max, "after_sequence")
            })
        let space = try space(request.namespace)
        // From the very beginning means from the oldest that there is.
        var mayBegin = last == 0
        while true {
            let rings = core.journalBell.rings
            let page = try await core.read(in: space) { book, _ throws(BrokerRefusal) in
                book.journal(after: last, limit: Self.pageLimit, matcher)
            }
            // A reader that is slower than memory forgets learns of it, and misses nothing silently.
            guard mayBegin || last >= page.oldest - 1 else { throw Self.forgotten(oldest: page.oldest) }
            mayBegin = false
            for line in page.lines { try await responses.write(BrokerJournalEntry(line)) }
            last = page.end
            guard page.end >= page.newest else { continue }
            guard request.follow else { return }
            try core.checkRunning()
            await core.journalBell.wait(past: rings)
            try Task.checkCancellation()
        }
    }

    func verify(_ request: BrokerVerifyRequest, context: ServerContext) async throws -> BrokerVerifyResponse {
        let expectation = try Self.setting { () throws(InvalidSetting) in
            try UnknownParts.refuse(in: request)
            return try Expectation(request)
        }
        let space = try space(request.namespace)
        var check = ExpectationCheck(expectation)
        var last = 0
        /// What came until now counts, and nothing later.
        let end = try await core.read(in: space) { book, _ throws(BrokerRefusal) in book.evidence.last }
        while last < end {
            let (next, pageCheck) = try await core.read(in: space) { [check, last] book, _ throws(BrokerRefusal) in
                var check = check
                let entries = book.evidence.entries(after: last, limit: min(Self.pageLimit * 16, end - last))
                    .prefix { $0.sequence <= end }
                for entry in entries { check.take(entry, book) }
                return (entries.last?.sequence ?? end, check)
            }
            (last, check) = (next, pageCheck)
        }
        let answer = try await core.read(in: space) { [check] book, _ throws(BrokerRefusal) in
            check.examples.map(book.line)
        }
        let (holds, explanation): (Bool, String)
        switch check.verdict {
        case .holds(let text): (holds, explanation) = (true, text)
        case .doesNot(let text): (holds, explanation) = (false, text)
        case .unknown(let forgotten):
            throw Refusal(
                .failedPrecondition, "JOURNAL_FORGOTTEN",
                "memory has forgotten the first \(forgotten) entries, which this expectation would need",
                context: ["forgotten": "\(forgotten)", "found": "\(check.found)"])
        }
        return BrokerVerifyResponse(
            holds: holds, explanation: explanation, found: Int64(check.found),
            examples: answer.map { BrokerJournalEntry($0) })
    }

    func diff(_ request: BrokerDiffRequest, context: ServerContext) async throws -> BrokerDiffResponse {
        let view = try ClientView(request)
        let differences = try await core.read(in: space(request.namespace)) { book, _ throws(BrokerRefusal) in
            view.differences(from: book)
        }
        return BrokerDiffResponse(differences: differences)
    }

    func dryRun(_ request: BrokerDryRunRequest, context: ServerContext) async throws -> BrokerDryRunResponse {
        guard let operation = Operation(rawValue: UInt8(clamping: request.operation.rawValue)) else {
            throw BrokerRefusal.invalidSetting(InvalidSetting(path: "operation", problem: "is missing or unknown"))
        }
        let attempt = try Self.setting { () throws(InvalidSetting) in
            try UnknownParts.refuse(in: request)
            return Int(try SettingReader.number(request.attempt, in: 0...Int32.max, "attempt"))
        }
        let terms = try request.order.map { try OrderContent($0) }
        let fact = RequestFact(
            operation: operation, account: request.account, clientOrder: request.clientOrderID)
        let decisions = try await core.read(in: space(request.namespace)) { book, now throws(BrokerRefusal) in
            book.decisions(about: fact, terms: terms, attempt: attempt == 0 ? nil : attempt, at: now)
        }
        return BrokerDryRunResponse(decisions: decisions.map { BrokerDecision($0) })
    }

    private static func setting<Value>(
        _ read: () throws(InvalidSetting) -> Value
    ) throws(BrokerRefusal) -> Value {
        do { return try read() } catch { throw .invalidSetting(error) }
    }

    private static func forgotten(oldest: Int) -> Refusal {
        Refusal(
            .failedPrecondition, "JOURNAL_FORGOTTEN", "memory does not hold the entries before \(oldest) any more",
            context: ["oldest": "\(oldest)"])
    }
}
