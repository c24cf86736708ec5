package import Domain
package import RPCCore

/// What one stream has still to deliver, in which form and when. A pure value: the reader asks what is next.
package struct DeliveryQueue: Sendable {
    /// One thing to be delivered, or left out.
    package struct Parcel: Hashable, Sendable {
        package enum Form: Hashable, Sendable {
            case report
            case copy(EventFault.CopyKind, number: Int)
            case corrupted(EventFault.Corruption)
            /// Not delivered at all.
            case dropped
        }

        /// Of the report.
        package let sequence: Int
        /// What the stream says the sequence is.
        package let shownSequence: Int
        package let form: Form
        package let showsReplayed: Bool
        package let attempt: Int?
        /// With the first parcel of a report alone.
        package let decisions: [RuleDecision]

        package var fate: DeliveryFate {
            switch form {
            case .report: .delivered
            case .copy: .duplicated
            case .corrupted: .corrupted
            case .dropped: .dropped
            }
        }
    }

    package enum Step: Hashable, Sendable {
        case deliver(Parcel)
        /// The stream ends.
        case disconnect
        /// The process dies.
        case crash(CrashLoss)
        /// The stream or its connection breaks.
        case fault(TransportFault)
    }

    private struct Item: Sendable {
        enum Content: Sendable {
            case parcel(Parcel)
            case hang(Duration?, heartbeatsLie: Bool)
            case disconnect
            case crash(CrashLoss)
            case fault(TransportFault)
        }

        var content: Content
        var due: UnixTime
        /// The rule that holds it until it is taken away.
        var frozenBy: String?
    }

    /// In order; one that waits holds those behind it up.
    private var queue: [Item] = []
    private var head = 0
    /// Copies that come later, by their time alone.
    private var later: [Item] = []
    /// Reports that others overtake, and how many still do.
    private var overtaken: [(items: [Item], left: Int)] = []
    /// Reports that are collected, and how many are still missing.
    private var batch: (items: [Item], left: Int)?
    /// What the stream adds to each sequence.
    private var offset = 0
    private var hangsUntil: UnixTime?
    private var heartbeatsLie = false
    /// The last report that went its way, in any form.
    package private(set) var delivered: Int

    /// - Parameter sequence: of the report that the stream begins after.
    package init(after sequence: Int) { delivered = sequence }

    /// Things that wait; the reader takes no more reports while there are many.
    package var count: Int {
        queue.count - head + later.count + overtaken.reduce(0) { $0 + $1.items.count } + (batch?.items.count ?? 0)
    }

    // MARK: Taking reports

    /// Takes the next report of the feed.
    ///
    /// - Parameters:
    ///   - time: when the report came about; delays count from it.
    ///   - isReplay: it was there before the stream began.
    package mutating func take(
        sequence: Int, at time: UnixTime, isReplay: Bool, attempt: Int?, decisions: [RuleDecision], firings: [Firing]
    ) {
        var form = Parcel.Form.report
        var showsReplayed = isReplay
        var due = time
        var frozenBy: String?
        var copies: (count: Int, spacing: Duration, kind: EventFault.CopyKind)?
        var overtakers = 0
        var before: [Item.Content] = []
        var after: [(content: Item.Content, delay: Int64)] = []
        var lag: Int64 = 0
        for firing in firings {
            switch (firing.action, firing.point) {
            case (.latency, .beforeEvent):
                let microseconds = firing.values.first ?? 0
                if microseconds == LatencyDistribution.untilReleased {
                    frozenBy = firing.rule
                } else {
                    due = due + .microseconds(microseconds)
                }
            case (.latency, .afterEvent): lag += max(0, firing.values.first ?? 0)
            case (.crash(let loss), .beforeEvent): before.append(.crash(loss))
            case (.crash(let loss), _): after.append((.crash(loss), lag))
            case (.transport(let fault), .beforeEvent): before.append(.fault(fault.transportFault(at: .beforeEvent)))
            case (.transport(let fault), let point): after.append((.fault(fault.transportFault(at: point)), lag))
            case (.event(let fault), let point):
                switch fault {
                case .duplicate(let count, let spacing, let kind): copies = (count, spacing, kind)
                case .drop: form = .dropped
                case .reorder: overtakers = Int(firing.values.first ?? 1)
                case .batch(let count): if batch == nil { batch = ([], count) }
                case .corrupt(let corruption): form = .corrupted(corruption)
                case .sequenceGap(let count): offset += count
                case .sequenceReset: offset = 1 - sequence
                case .hang(let length, let lie):
                    let content = Item.Content.hang(length, heartbeatsLie: lie)
                    if point == .beforeEvent { before.append(content) } else { after.append((content, lag)) }
                case .disconnect:
                    if point == .beforeEvent { before.append(.disconnect) } else { after.append((.disconnect, lag)) }
                case .replayFlagMissing: showsReplayed = false
                case .cursor: break
                }
            case (.latency, _), (.rpc, _), (.order, _), (.fills, _), (.visibility, _), (.capacity, _): break
            }
        }
        func parcel(_ form: Parcel.Form, _ decisions: [RuleDecision]) -> Item.Content {
            .parcel(
                Parcel(
                    sequence: sequence, shownSequence: sequence + offset, form: form, showsReplayed: showsReplayed,
                    attempt: attempt, decisions: decisions))
        }
        var items = before.map { Item(content: $0, due: due, frozenBy: frozenBy) }
        items.append(Item(content: parcel(form, decisions), due: due, frozenBy: frozenBy))
        if let copies {
            for number in 1...copies.count {
                let copy = Item(
                    content: parcel(.copy(copies.kind, number: number), []), due: due + copies.spacing * number)
                if copies.spacing > .zero { later.append(copy) } else { items.append(copy) }
            }
        }
        items += after.map { Item(content: $0.content, due: due + .microseconds($0.delay)) }
        place(items, behind: overtakers)
    }

    private mutating func place(_ items: [Item], behind overtakers: Int) {
        if overtakers > 0 {
            overtaken.append((items, overtakers))
            return
        }
        append(items)
        for index in overtaken.indices { overtaken[index].left -= 1 }
        let ready = overtaken.filter { $0.left <= 0 }
        overtaken.removeAll { $0.left <= 0 }
        for group in ready { append(group.items) }
    }

    private mutating func append(_ items: [Item]) {
        guard var open = batch else {
            queue += items
            return
        }
        open.items += items
        open.left -= 1
        if open.left > 0 {
            batch = open
        } else {
            batch = nil
            queue += open.items
        }
    }

    // MARK: Delivering

    /// What to do now, or nil when nothing is due.
    ///
    /// - Parameter isHeld: whether a rule still holds what it has frozen.
    package mutating func next(at now: UnixTime, isHeld: (String) -> Bool) -> Step? {
        if let until = hangsUntil {
            guard now >= until else { return nil }
            hangsUntil = nil
            heartbeatsLie = false
        }
        if let index = later.indices.filter({ later[$0].due <= now }).min(by: { later[$0].due < later[$1].due }) {
            return step(later.remove(at: index).content, at: now) ?? next(at: now, isHeld: isHeld)
        }
        guard head < queue.count, queue[head].due <= now else { return nil }
        if let rule = queue[head].frozenBy {
            guard !isHeld(rule) else { return nil }
        }
        let content = queue[head].content
        head += 1
        if head == queue.count {
            queue.removeAll(keepingCapacity: true)
            head = 0
        }
        return step(content, at: now) ?? next(at: now, isHeld: isHeld)
    }

    private mutating func step(_ content: Item.Content, at now: UnixTime) -> Step? {
        switch content {
        case .parcel(let parcel):
            if case .copy = parcel.form {} else { delivered = max(delivered, parcel.sequence) }
            return .deliver(parcel)
        case .hang(let length, let lie):
            hangsUntil = length.map { now + $0 } ?? UnixTime(nanoseconds: .max)
            heartbeatsLie = lie
            return nil
        case .disconnect: return .disconnect
        case .crash(let loss): return .crash(loss)
        case .fault(let fault): return .fault(fault)
        }
    }

    /// When to look again; nil when only news of the feed or the rules can change anything.
    package var nextDue: UnixTime? {
        if let hangsUntil { return hangsUntil.nanoseconds == .max ? nil : hangsUntil }
        let waiting = head < queue.count && queue[head].frozenBy == nil ? queue[head].due : nil
        return [waiting, later.map(\.due).min()].compactMap { $0 }.min()
    }

    /// Lets everything go that waits for others to come; false when there is none.
    package mutating func flush() -> Bool {
        guard hangsUntil == nil, !overtaken.isEmpty || batch != nil else { return false }
        let open = batch?.items ?? []
        batch = nil
        queue += open
        for group in overtaken { queue += group.items }
        overtaken = []
        return true
    }

    /// What a heartbeat says is the last report; nil means the end of the feed. What is on its way with a delay does
    /// not exist yet for this reader; what was dropped, or waits behind a hanging stream, does.
    package var heartbeatEnd: Int? {
        if hangsUntil != nil { return heartbeatsLie ? delivered : nil }
        return head < queue.count ? delivered : nil
    }
}
