internal import Contracts
internal import Domain
internal import Protobuf
internal import RPCCore

/// One reader of the feed: a place in the log, not a queue of its own for each report, so that a slow client costs
/// nothing but its own time.
struct ExecutionReader {
    private static let batch = 64
    /// No more reports are taken while so much waits in the stream's queue.
    private static let queueLimit = 4096

    let core: BrokerCore
    let space: SpaceID
    /// The number of the request that opened the stream.
    let stream: Int
    let heartbeatInterval: Duration
    /// Whose reports it wants; nil means everybody's.
    let accounts: Set<AccountID>?
    /// Of the report that the stream begins after.
    let start: Int
    let call: any ServerCall

    /// Hands reports on disk to the client as rules say, and a heartbeat when there was nothing for an interval, the
    /// first one at once. Ends by throwing: what the client's end throws, `CancellationError`, or a refusal when the
    /// broker stops or the namespace ends.
    func run() async throws -> Never {
        var queue = DeliveryQueue(after: start)
        var sequence = start
        var quietSince: UnixTime?
        /// Reports up to here were there before.
        let replayEnd = try core.lastCursor(in: space).sequence
        while true {
            let rings = core.feedBell.rings
            let settings = core.settingsBell.rings
            var hasNews = false
            if queue.count < Self.queueLimit {
                let page = try core.offers(in: space, after: sequence, limit: Self.batch, of: accounts)
                for offer in page.offers {
                    queue.take(
                        sequence: offer.sequence, at: offer.at, isReplay: offer.sequence <= replayEnd,
                        attempt: offer.attempt, decisions: offer.decisions, firings: offer.firings)
                }
                hasNews = page.end > sequence
                sequence = page.end
            }
            let now = try core.now(in: space)
            if try await deliver(&queue, at: now) {
                quietSince = now
                continue
            }
            guard !hasNews else { continue }
            try core.checkRunning()
            if let since = quietSince, now < since + heartbeatInterval {
                let next = min(since + heartbeatInterval, queue.nextDue ?? since + heartbeatInterval)
                try await core.waitForNews(in: space, past: rings, settings: settings, until: next)
            } else if quietSince == nil || !queue.flush() {
                let last =
                    if let end = queue.heartbeatEnd {
                        try core.cursor(in: space, after: end)
                    } else {
                        try core.lastCursor(in: space)
                    }
                try await send(
                    .heartbeat(
                        BrokerHeartbeat(
                            lastCursor: last.text, lastSequence: Int64(last.sequence),
                            serverTime: Google_Protobuf_Timestamp(now))))
                quietSince = now
            }
        }
    }

    private func send(_ event: BrokerExecutionEvent.Event) async throws {
        try await call.send(BrokerExecutionEvent(event: event).encoded())
    }

    /// Delivers what is due, and notes what was delivered, also when the client goes meanwhile. Says whether there was
    /// anything.
    private func deliver(_ queue: inout DeliveryQueue, at now: UnixTime) async throws -> Bool {
        var facts: [OfferFact] = []
        let result: Result<Void, any Error>
        do {
            while facts.count < Self.batch,
                let step = queue.next(at: now, isHeld: { core.holds($0, in: space) })
            {
                switch step {
                case .deliver(let parcel):
                    try await deliver(parcel)
                    facts.append(
                        OfferFact(
                            stream: stream, sequence: parcel.sequence, attempt: parcel.attempt, fate: parcel.fate,
                            decisions: parcel.decisions))
                case .disconnect: throw Status(.unavailable, "the stream ends")
                case .fault(let fault): try await call.carryOut(fault)
                case .crash(let loss):
                    core.crash(loss)
                    try await Task.sleep(for: .seconds(30))
                }
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        if !facts.isEmpty { try core.note(in: space) { now in facts.map { .offered($0, at: now) } } }
        try result.get()
        return !facts.isEmpty
    }

    private func deliver(_ parcel: DeliveryQueue.Parcel) async throws {
        var report = try core.report(in: space, parcel.sequence)
        report.sequence = Int64(parcel.shownSequence)
        report.replayed = parcel.showsReplayed
        switch parcel.form {
        case .dropped: break
        case .report: try await send(.report(report))
        case .copy(let kind, let number): try await send(.report(report.copy(kind, number)))
        case .corrupted(let corruption):
            try await call.send(BrokerExecutionEvent(event: .report(report)).encoded(corruption))
        }
    }
}

extension BrokerSequencedReport {
    /// A copy that is not quite one.
    fileprivate func copy(_ kind: EventFault.CopyKind, _ number: Int) -> BrokerSequencedReport {
        var copy = self
        switch kind {
        case .same: break
        case .newExecutionID:
            copy.report?.execID =
                BrokerExecutionID(derivedFrom: "mock-copy", report?.execID ?? "", String(number)).text
        case .otherContent:
            if let price = report?.lastPx {
                copy.report?.lastPx = WireDecimal(unscaled: price.unscaled + 100, scale: price.scale)
            }
            copy.report?.text = "copy \(number)"
        }
        return copy
    }
}

extension BrokerExecutionEvent {
    /// What goes on the wire instead of this message.
    fileprivate func encoded(_ corruption: EventFault.Corruption) -> [UInt8] {
        switch corruption {
        case .garbage: return [UInt8](repeating: 0xFF, count: 11)
        case .truncated: return Array(encoded().prefix(encoded().count / 2))
        // Field 1000, the number 1.
        case .unknownField: return encoded() + [0xC0, 0x3E, 1]
        case .unknownEnum:
            guard case .report(var report)? = event else { return encoded() }
            report.report?.execType = .unrecognized(99)
            return BrokerExecutionEvent(event: .report(report)).encoded()
        }
    }
}
