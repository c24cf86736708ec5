import Domain
import Testing

@Suite struct OrderPropertyTests {
    /// Fills, duplicates, busts and corrections in any order lead to the same sums and the same money.
    @Test(arguments: seeds)
    func theOrderOfReportsDoesNotMatter(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<30 {
            var events: [OrderEvent] = []
            var cum: Int64 = 0
            for index in 0..<Int.random(in: 1...8, using: &generator) {
                let shares = Int64.random(in: 1...4, using: &generator)
                cum += shares
                let id = "E\(index)"
                let cents = Int64.random(in: 22_000...23_000, using: &generator)
                let fill = execution(
                    id, shares, at: Money(minorUnits: cents, currency: .usd).text, fee: "0.0\(index % 10)",
                    brokerCum: cum, time: Int64(index))
                events.append(.filled(fill))
                switch Int.random(in: 0..<6, using: &generator) {
                case 0: events.append(.busted(fill.id, by: try ExecutionID("bust-\(id)")))
                case 1:
                    let replacement = execution("\(id)c", shares + 1, at: "225.0\(index % 10)", time: Int64(index))
                    events.append(.corrected(fill.id, with: replacement))
                    if Bool.random(using: &generator) {
                        events.append(.busted(replacement.id, by: try ExecutionID("bust-\(id)c")))
                    }
                default: break
                }
            }
            let reference = try play(events)
            for _ in 0..<5 {
                let doubled = (events + events.filter { _ in Bool.random(using: &generator) }).shuffled(
                    using: &generator)
                let other = try play(doubled)
                let label: Comment = "seed \(seed) round \(round)"
                #expect(other.order.cumQuantity == reference.order.cumQuantity, label)
                #expect(other.order.averagePrice == reference.order.averagePrice, label)
                #expect(other.actions.position == reference.actions.position, label)
                #expect(
                    other.actions.captured - other.actions.credited
                        == reference.actions.captured - reference.actions.credited, label)
                #expect(other.actions.position == other.order.cumQuantity.unscaled, label)
                #expect(
                    try other.order.executions.value + other.order.executions.fees
                        == Money(minorUnits: other.actions.captured - other.actions.credited, currency: .usd), label)
            }
        }
    }

    /// A store may hand reports out in any order; the book is the same down to its memory of early busts.
    @Test(arguments: seeds)
    func aBookIsTheSetOfItsReports(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            var reports: [ExecutionReport] = []
            for index in 0..<6 {
                let fill = execution("E\(index)", 1 + Int64(index), time: Int64(index))
                if Int.random(in: 0..<5, using: &generator) > 0 { reports.append(.trade(fill)) }
                if Int.random(in: 0..<3, using: &generator) == 0 {
                    reports.append(.bust(fill.id, by: try ExecutionID("bust-\(index)")))
                }
                if Int.random(in: 0..<3, using: &generator) == 0 {
                    reports.append(.correction(fill.id, with: execution("C\(index)", 2, time: Int64(index))))
                }
            }
            let reference = try ExecutionBook(currency: .usd, reports: reports)
            for _ in 0..<5 {
                let other = try ExecutionBook(currency: .usd, reports: reports.shuffled(using: &generator))
                #expect(other.cumQuantity == reference.cumQuantity, "seed \(seed)")
                #expect(try other.value == reference.value, "seed \(seed)")
                #expect(other.liveExecutions == reference.liveExecutions, "seed \(seed)")
            }
        }
    }

    private func play(_ events: [OrderEvent]) throws -> OrderScript {
        var script = OrderScript(makeOrder(quantity: 20))
        try script.run("queue send")
        for event in events { try script.apply(event) }
        return script
    }

    /// Random walks over every event: nothing traps, nothing that must hold breaks.
    @Test(arguments: seeds)
    func randomHistories(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let words = [
            "queue", "send", "send", "ack", "lost", "lost", "refuse:NO", "reject:NO", "notsent", "miss", "miss",
            "nolookup", "fill:1", "fill:2", "fill:3:X", "bust:X", "bust:E1", "correct:E2:1", "cancel", "csend", "cack",
            "crefuse", "cunknown", "clost", "canceled:0", "canceled:3", "expired:2", "found:working:1",
            "found:filled:10", "found:canceled:1", "found:rejected:0", "overdue", "lapse", "conclude", "resume",
            "withdraw", "wait:5", "wait:100",
        ]
        for walk in 0..<200 {
            var rules = standardRules
            rules.broker.cancelSealsUnknownID = Bool.random(using: &generator)
            rules.broker.looksUpByClientID = Int.random(in: 0..<4, using: &generator) > 0
            if Bool.random(using: &generator) { rules.sessionEndsAt = scriptStart + .seconds(150) }
            var script = OrderScript(rules: rules)
            var trail = "queue"
            try script.run("queue")
            for _ in 0..<25 {
                let word = words.randomElement(using: &generator)!
                trail += " " + word
                let before = script.order
                script.actions = []
                do { try script.run(word) } catch is InvalidTransition {
                    #expect(script.order == before, "seed \(seed) walk \(walk): \(trail)")
                    continue
                }
                check(before, script.order, script.actions, word, "seed \(seed) walk \(walk): \(trail)")
                let stored = try Order(
                    id: script.order.id, terms: script.order.terms, record: OrderRecord(script.order),
                    executions: script.order.executions)
                #expect(stored == script.order, "seed \(seed) walk \(walk): \(trail)")
            }
        }
    }

    private func check(
        _ before: Order, _ after: Order, _ actions: [OrderAction], _ word: String, _ label: Comment
    ) {
        // Versions go up by one with every change, and only then.
        #expect(after.version == before.version + (after == before ? 0 : 1), label)
        // Only a bust or a correction lowers what is filled.
        if !word.hasPrefix("bust"), !word.hasPrefix("correct") {
            #expect(after.cumQuantity >= before.cumQuantity, label)
        }
        // A final label stays.
        if before.status.isFinal { #expect(after.status == before.status, label) }
        // Live: cum + leaves = quantity (overfill aside). Over: nothing is left.
        if after.status.isFinal {
            #expect(after.leavesQuantity.isZero, label)
        } else {
            #expect(
                after.cumQuantity.unscaled + after.leavesQuantity.unscaled
                    == max(after.terms.quantity.unscaled, after.cumQuantity.unscaled), label)
        }
        // The hold is released once, when the order ends.
        #expect(actions.releases == (!before.status.isFinal && after.status.isFinal ? 1 : 0), label)
        // No attempt after a cancel wish or evidence.
        for action in actions {
            if case .resend = action {
                #expect(!after.cancellation.isWanted, label)
                #expect(after.lifecycle == .queued, label)
            }
        }
        if after.submission.attempts > before.submission.attempts {
            #expect(!before.cancellation.isWanted, label)
            #expect(before.lifecycle == .queued, label)
            #expect(after.submission.sentAttempts <= 4, label)
        }
        // FILLED means that executions filled it.
        if after.status == .filled, before.status != .filled {
            #expect(after.cumQuantity >= after.terms.quantity, label)
        }
    }
}
