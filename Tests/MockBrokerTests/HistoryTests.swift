import Contracts
import Domain
import MockBroker
import Testing

/// Random histories: what must hold after every record, and that timing of independent orders changes nothing.
@Suite struct HistoryTests {
    private static let seeds: [UInt64] = Array(1...20)

    private func desk(_ random: inout SeededGenerator, seed: UInt64) -> Desk {
        let mode = IdempotencyMode.allCases.randomElement(using: &random)!
        let parts = Int32.random(in: 1...4, using: &random)
        let delay = BrokerLatency.uniform(.zero ... .milliseconds(40))
        /// Now and then something else than the usual; each a rule of its own.
        func sometimes(_ rule: BrokerRule, _ probability: Double = 0.1) -> BrokerRule {
            var rule = rule
            rule.probability = probability
            rule.priority = 1
            rule.alsoApplyLowerPriority = true
            return rule
        }
        func order(_ id: String, _ fault: BrokerOrderFault.Fault) -> BrokerRule {
            sometimes(.orders(fault, id: id))
        }
        var script = BrokerFillScript(
            shape: .split(BrokerSplit(parts: 3, random: true)), latency: delay,
            beforeAcknowledgement: Bool.random(using: &random), afterCancel: true,
            overfillQty: WireDecimal(unscaled: 2, scale: 0), priceOffset: WireDecimal(unscaled: -1, scale: 0),
            commissionAfter: delay,
            correct: BrokerCorrection(
                after: delay, qtyOffset: WireDecimal(unscaled: Int64.random(in: -2 ... -1, using: &random), scale: 0)))
        if Bool.random(using: &random) { script.bustAfter = delay }
        return Desk(
            {
                $0.seed = Int64(seed)
                $0.idempotencyMode = mode
            },
            [
                .fills("fills", .uniform(.zero ... .milliseconds(40)), parts: parts),
                .slowCancels("cancels", .uniform(.zero ... .milliseconds(30))),
                .slowReplies("replies", .uniform(.milliseconds(1) ... .milliseconds(9))),
                .loseReplies(probability: 0.2), .loseRequests(probability: 0.1),
                sometimes(.script(script), 0.3), order("rejected", .rejectLater(BrokerRejectLater(after: delay))),
                order("unacknowledged", .neverAcknowledge(BrokerNeverAcknowledge())),
                order("twice", .acknowledgeTwice(BrokerAcknowledgeTwice())),
                order("unsolicited", .unsolicitedCancel(BrokerUnsolicitedCancel(after: delay))),
                order("halted", .suspend(BrokerSuspend(after: delay, length: delay))),
                order("restated", .restate(BrokerRestate(after: delay))),
                order("renamed", .newOrderID(BrokerNewOrderID())), sometimes(.slow(.milliseconds(20)), 0.5),
                BrokerRule(
                    ruleID: "refuse", when: BrokerSelector(operations: [.placeOrder]),
                    action: .order(BrokerOrderFault(fault: .refuse(BrokerRefuse(reason: "NO")))), probability: 0.1),
            ])
    }

    private func randomOrder(_ number: Int, _ random: inout SeededGenerator) -> OrderContent {
        let limits: [Price?] = [nil, Price(unscaled: 220_0000), Price(unscaled: 230_0000)]
        return order(
            "o\(number)", account: [alice, AccountID(rawValue: "bob")!].randomElement(using: &random)!,
            side: Side.allCases.randomElement(using: &random)!, limit: limits.randomElement(using: &random)!,
            shares: .random(in: 1...9, using: &random),
            timeInForce: TimeInForce.allCases.randomElement(using: &random)!)
    }

    @Test(arguments: seeds)
    func theBookAlwaysAddsUp(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var desk = desk(&random, seed: seed)
        var contents: [OrderContent] = []
        for step in 0..<300 {
            switch Int.random(in: 0..<14, using: &random) {
            case 0...3:
                contents.append(randomOrder(step, &random))
                desk.place(contents.last!)
            case 4:
                if let again = contents.randomElement(using: &random) { desk.place(again) }
            case 5, 6:
                if let target = contents.randomElement(using: &random) {
                    desk.cancel(target.key.clientOrder.text, request: "c\(step)", target.key.account)
                }
            case 7:
                let price = Price(unscaled: Int64.random(in: 21_500...23_500, using: &random) * 100)
                desk.take(try desk.book.setPrice(apple, price, at: desk.now))
            case 8, 9:
                // By the latest id, or by one that may be outdated.
                if let target = desk.book.orders.randomElement(using: &random) {
                    let content = Bool.random(using: &random) ? target.content : target.placed
                    desk.replace(
                        content.key.clientOrder.text, request: "r\(step)", shares: .random(in: 1...12, using: &random),
                        limit: target.content.type.limitPrice.map { Price(unscaled: $0.unscaled - 100) },
                        content.key.account)
                }
            case 10:
                if let trade = desk.book.executions.randomElement(using: &random) {
                    if Bool.random(using: &random) {
                        desk.bust(desk.book.latestID(of: trade))
                    } else {
                        desk.correct(desk.book.id(of: trade), shares: .random(in: 1...9, using: &random))
                    }
                }
            default: desk.advance(milliseconds: .random(in: 0...30, using: &random))
            }
            if step.isMultiple(of: 10) { #expect(contradictions(in: desk.book) == [], "seed \(seed)") }
        }
        desk.advance(milliseconds: 86_400_000)
        #expect(contradictions(in: desk.book) == [], "seed \(seed)")
        #expect(desk.book.orders.filter { $0.isOpen }.allSatisfy { $0.content.timeInForce == .goodTillCancel })
        #expect(desk.book.nextDue() == nil, "seed \(seed)")

        // The same records make the same book, through bytes too.
        var replayed = BrokerBook()
        for record in desk.records { try replayed.apply(try BrokerRecord(decoding: record.encoded[...])) }
        #expect(Truth(replayed) == Truth(desk.book), "seed \(seed)")
    }

    /// What does not add up in the book; one expectation for all of it, since the histories are long.
    private func contradictions(in book: BrokerBook) -> [String] {
        var found: [String] = []
        var ids: Set<BrokerExecutionID> = []
        /// Shares of each trade as the feed tells, by the report that told of them last.
        var live: [BrokerExecutionID: (order: Int, nanos: Int64)] = [:]
        var filled: [Int: Int64] = [:]
        for entry in book.feed {
            let order = book.orders[entry.order]
            func id(_ ordinal: Int) -> BrokerExecutionID { order.executionID(ordinal: ordinal) }
            if !ids.insert(id(entry.ordinal)).inserted { found.append("id of \(entry)") }
            switch entry.kind {
            case .trade: live[id(entry.ordinal)] = (entry.order, entry.lastQuantity.unscaled)
            case .tradeCancel, .tradeCorrect:
                guard let reference = entry.reference, let old = live.removeValue(forKey: id(reference)),
                    old.order == entry.order
                else {
                    found.append("reference of \(entry)")
                    continue
                }
                filled[entry.order, default: 0] -= old.nanos
                if entry.kind == .tradeCorrect { live[id(entry.ordinal)] = (entry.order, entry.lastQuantity.unscaled) }
            case .new, .canceled, .expired, .rejected, .replaced, .suspended, .restated: break
            }
            if entry.kind != .tradeCancel { filled[entry.order, default: 0] += entry.lastQuantity.unscaled }
            if entry.filled.unscaled != filled[entry.order] { found.append("cumulative quantity of \(entry)") }
            let whole = entry.filled.unscaled + entry.leaves.unscaled
            if !entry.leaves.isZero, whole != entry.quantity.unscaled { found.append("leaves of \(entry)") }
        }
        var positions: [PositionKey: Int64] = [:]
        for (order, nanos) in live.values {
            let content = book.orders[order].content
            let key = PositionKey(account: content.key.account, symbol: content.symbol)
            positions[key, default: 0] += content.side == .buy ? nanos : -nanos
        }
        if positions.filter({ $0.value != 0 }) != book.positions.mapValues(\.unscaled).filter({ $0.value != 0 }) {
            found.append("positions")
        }
        let standing = Set(book.executions.filter { !$0.isBusted }.map { book.latestID(of: $0) })
        if standing != Set(live.keys) { found.append("trades that are not void") }
        for (index, order) in book.orders.enumerated() {
            if order.filled.unscaled != filled[index] ?? 0 { found.append("quantity of \(order)") }
            if order.isOpen, order.filled >= order.content.quantity { found.append("open and done: \(order)") }
            let reports = book.feed.filter { $0.order == index }
            let isTouched = reports.contains { $0.kind == .tradeCancel || $0.kind == .tradeCorrect }
            let isWhole = order.filled >= order.content.quantity
            if !isTouched, order.template.goesOnAfterCancel == false, (order.status == .filled) != isWhole {
                found.append("status of \(order)")
            }
            if !isTouched, order.filled.unscaled > order.content.quantity.unscaled + order.template.overfill.unscaled {
                found.append("overfill of \(order)")
            }
            // A final state is the last one.
            let ends = reports.firstIndex { isFinal($0.status) }.map { Set(reports[$0...].map(\.status)) } ?? []
            if ends.count > 1 { found.append("states after the end: \(ends)") }
        }
        if book.behavior.idempotencyMode.makesResendSafe, Set(book.orders.map(\.placed.key)).count != book.orders.count
        {
            found.append("two orders under one id")
        }
        return found
    }

    private func isFinal(_ status: BookOrderStatus) -> Bool {
        switch status {
        case .new, .partiallyFilled, .pendingCancel, .pendingReplace, .suspended: false
        case .filled, .canceled, .expired, .rejected: true
        }
    }

    /// What happens to each order, as bytes, must not depend on how independent orders interleave.
    @Test(arguments: seeds)
    func timingOfOthersChangesNothing(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let empty = desk(&random, seed: seed)
        struct Action {
            let content: OrderContent
            let atMilliseconds: Int64
            let cancels: Bool
        }
        var actions: [Action] = []
        for number in 0..<60 {
            let content = randomOrder(number, &random)
            let at = Int64.random(in: 0...5, using: &random)  // many at one instant
            actions.append(Action(content: content, atMilliseconds: at, cancels: false))
            if Bool.random(using: &random) {
                actions.append(Action(content: content, atMilliseconds: at, cancels: false))
            }
            if Bool.random(using: &random) {
                actions.append(Action(content: content, atMilliseconds: at + 20, cancels: true))
            }
        }
        var stories: [[OrderKey: [[UInt8]]]] = []
        for _ in 0..<4 {
            actions.shuffle(using: &random)
            var desk = empty
            for action in actions.sorted(by: { $0.atMilliseconds < $1.atMilliseconds }) {
                let elapsed = (desk.now - start) / .milliseconds(1)
                desk.advance(milliseconds: action.atMilliseconds - Int64(elapsed))
                if action.cancels {
                    let key = action.content.key
                    desk.cancel(key.clientOrder.text, request: "c-\(key.clientOrder)", key.account)
                } else {
                    desk.place(action.content)
                }
            }
            desk.advance(milliseconds: 1000)
            var story: [OrderKey: [[UInt8]]] = [:]
            for record in desk.records {
                if let key = record.subject(in: desk.book) { story[key, default: []].append(record.encoded) }
            }
            stories.append(story)
        }
        #expect(stories.dropFirst().allSatisfy { $0 == stories[0] }, "seed \(seed)")
    }

    @Test func anotherSeedMakesOtherDecisions() {
        func lost(_ seed: Int64) -> [Bool] {
            var desk = Desk({ $0.seed = seed }, [.loseReplies(probability: 0.5)])
            return (0..<64).map { !desk.arrive(.placeOrder, key("\($0)")).firings.isEmpty }
        }
        #expect(lost(1) == lost(1))
        #expect(lost(1) != lost(2))
    }
}

/// All that a book tells, to compare two of them.
struct Truth: Equatable {
    let orders: [BookOrder]
    let feed: [FeedEntry]
    let positions: [PositionKey: Quantity]
    let executions: [BookExecution]
    let prices: [InstrumentID: Price]
    let behavior: Behavior
    let counts: [Int]
    let decisions: [RuleDecision]
    let journal: [EvidenceEntry]
    let next: DueItem?

    init(_ book: BrokerBook) {
        var book = book
        orders = book.orders
        feed = book.feed
        positions = book.positions
        executions = book.executions
        prices = book.prices
        behavior = book.behavior
        decisions = book.rules.log.sorted
        journal = book.evidence.entries(after: 0, limit: .max)
        counts = [book.placeAttempts, book.lostReplies, book.idCount]
        next = book.nextDue()
    }
}

extension BrokerRecord {
    /// The order that the record is about.
    fileprivate func subject(in book: BrokerBook) -> OrderKey? {
        switch self {
        case .behaviorSet, .priceSet, .pathSet, .rulePut, .ruleRemoved, .rulesCleared, .scripted, .clockSet, .committed,
            .replied, .offered, .controlled, .asked:
            nil
        case .requested(let fact, _, _): key(fact.clientOrder, AccountID(rawValue: fact.account)!)
        case .accepted(let acceptance): acceptance.content.key
        case .planned(let id, _, _), .cancelRequested(let id, _, _, _), .canceled(let id, _, _), .expired(let id, _),
            .acknowledged(let id, _), .turned(let id, _, _), .replaceRequested(let id, _, _), .replaced(let id, _, _):
            book.order(id)?.placed.key
        case .filled(let fill): book.order(fill.order)?.placed.key
        case .charged(let id, _, _, _), .busted(let id, _, _, _), .corrected(let id, _, _, _):
            book.execution(id).map { book.orders[$0.order].placed.key }
        }
    }
}
