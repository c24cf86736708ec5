package import Domain
internal import HeapModule

/// Everything that the broker knows: the sum of its records. A pure value without I/O, clock or chance.
package struct BrokerBook: Sendable {
    /// In order of acceptance.
    package internal(set) var orders: [BookOrder] = []
    /// All reports, oldest first.
    package private(set) var feed: [FeedEntry] = []
    /// All trades as they stand now, oldest first.
    package internal(set) var executions: [BookExecution] = []
    package private(set) var behavior = Behavior()
    package private(set) var rules = RuleBook()
    package private(set) var clock = NamespaceClock.machine
    /// What the configuration said at the last start that changed it.
    package private(set) var configured: (behavior: Behavior, rules: [Rule])?
    /// Of symbols with a path: when it was set.
    package private(set) var prices: [InstrumentID: Price] = [:]
    package private(set) var paths: [InstrumentID: PricePath] = [:]
    /// Bought less sold.
    package var positions: [PositionKey: Quantity] { accounts.positions }
    package internal(set) var accounts = Accounts()
    private(set) var orderIndex = OrderIndex()
    /// Tells this book from others of the process.
    package let generation: Int
    package private(set) var evidence: EvidenceLog
    /// Requests so far; the next one has the next number.
    package private(set) var requestCount = 0
    /// Attempts to place an order, whether committed or not.
    package private(set) var placeAttempts = 0
    /// Replies to them that were held back on purpose.
    package private(set) var lostReplies = 0

    /// What was done under one client order id.
    struct History: Sendable {
        /// Index of the last order; there are several where ids are not checked, or are forgotten after a while.
        var lastOrder: Int?
        var orderCount = 0
        /// Index of the order that a cancel request under this id is about.
        var canceledOrder: Int?
        /// Index of the order that a replace request under this id is about, and what it asked for.
        var replacement: (order: Int, terms: ReplaceTerms)?
    }

    private struct AttemptKey: Hashable, Sendable {
        let operation: Operation
        let subject: String
    }

    private var histories: [OrderKey: History] = [:]
    private var attempts: [AttemptKey: Int] = [:]
    /// How often each report was offered to a stream, by its place in the feed.
    private var offers: [Int] = []
    /// Reports that lists leave out, unless they begin at the very beginning.
    package private(set) var unlisted: Set<Int> = []
    private var open: [Int: OpenRequest] = [:]

    /// A request without a reply.
    private struct OpenRequest: Sendable {
        let origin: RequestOrigin
        var committed: BrokerOrderID?
    }

    private var indexByID: [BrokerOrderID: Int] = [:]
    /// The trade that each report of a trade or a correction is about: its index in `executions`.
    var executionByID: [BrokerExecutionID: Int] = [:]
    /// All shares that may ever change hands, so that no position can leave the range of a quantity.
    private var ordered: [PositionKey: Quantity] = [:]
    /// Orders that rest until the price touches them, by symbol.
    private var resting: [InstrumentID: Set<Int>] = [:]
    private var due = Heap<DueItem>()
    /// Which look at a resting order holds; earlier ones are moot.
    private var watches: [Int: Int] = [:]
    private var watchCount = 0

    /// - Parameter journalLimit: entries of the journal in memory.
    package init(generation: Int = 0, journalLimit: Int = EvidenceLog.usualLimit) {
        self.generation = generation
        evidence = EvidenceLog(limit: journalLimit)
    }

    // MARK: Looking things up

    /// How many client order ids are remembered.
    package var idCount: Int { histories.count }
    /// How many things were asked about.
    package var subjectCount: Int { attempts.count }

    /// How often this operation was asked for about this subject.
    package func attempts(_ operation: Operation, _ subject: String) -> Int {
        attempts[AttemptKey(operation: operation, subject: subject)] ?? 0
    }

    /// How often the report with this sequence was offered to a stream.
    package func offers(_ sequence: Int) -> Int { offers[sequence - 1] }

    /// Requests that were not answered, oldest first.
    package var openRequests: [Int] { open.keys.sorted() }

    func history(_ key: OrderKey) -> History { histories[key] ?? History() }
    func remembers(_ key: OrderKey) -> Bool { histories[key] != nil }
    func orderedTotal(_ key: PositionKey) -> Quantity { ordered[key] ?? .zero }

    /// The order under this id, the latest of them where ids are not checked, or the one that a replace request under
    /// this id is about.
    package func order(_ key: OrderKey) -> BookOrder? { place(of: key).map { orders[$0] } }
    func place(of key: OrderKey) -> Int? {
        guard let history = histories[key] else { return nil }
        return history.lastOrder ?? history.replacement?.order
    }
    /// The latest order under this id in any account.
    func order(_ clientOrder: ClientOrderID) -> BookOrder? {
        histories.keys.lazy.filter { $0.clientOrder == clientOrder }.compactMap(place).max().map { orders[$0] }
    }
    func place(of id: BrokerOrderID) -> Int? { indexByID[id] }
    package func order(_ id: BrokerOrderID) -> BookOrder? { indexByID[id].map { orders[$0] } }

    /// Resting orders of `symbol` that `price` touches, oldest first.
    func touched(_ symbol: InstrumentID, at price: Price) -> [BookOrder] {
        (resting[symbol] ?? []).sorted().map { orders[$0] }.filter { $0.content.isMarketable(at: price) }
    }

    /// The cursor right after the report with this sequence; empty for 0.
    package func cursor(after sequence: Int) -> String {
        guard sequence > 0 else { return "" }
        let entry = feed[sequence - 1]
        return FeedCursor.text(
            sequence: sequence, execution: orders[entry.order].executionID(ordinal: entry.ordinal))
    }

    /// The sequence that a cursor stands after, or nil when this book has given no such cursor.
    package func sequence(of cursor: String) -> Int? {
        guard !cursor.isEmpty else { return 0 }
        guard let (sequence, execution) = FeedCursor.parse(cursor), sequence <= feed.count else { return nil }
        let entry = feed[sequence - 1]
        return orders[entry.order].executionID(ordinal: entry.ordinal).text == execution ? sequence : nil
    }

    /// The earliest thing to do, or nil. Forgets on the way what has become moot.
    package mutating func nextDue() -> DueItem? {
        while let item = due.min {
            if isPending(item) { return item }
            due.removeMin()
        }
        return nil
    }

    /// The same, without forgetting.
    package var earliestDue: UnixTime? { due.unordered.lazy.filter(isPending).map(\.at).min() }

    private func isPending(_ item: DueItem) -> Bool {
        let order = orders[item.order]
        switch item.kind {
        case .fill(let part): return order.canFill && order.partsDone == part && order.nextPart == item.at
        case .look(let watch), .touch(let watch):
            return order.isOpen && order.plan == nil && watches[item.order] == watch
        case .charge(let index): return !executions[index].isBusted && executions[index].commission == nil
        case .correct(let index): return !executions[index].isBusted && executions[index].awaitsCorrection
        case .bust(let index): return !executions[index].isBusted
        case .replace: return order.pendingReplacement?.due == item.at
        case .cancel: return order.life == .cancelPending
        case .remainder: return order.isOpen && order.isOverdue
        case .turn(let kind): return order.turn(kind).map { $0.due <= item.at } ?? false && order.allows(kind)
        case .expire: return order.isOpen
        }
    }

    // MARK: Applying records

    /// The only way in which the book changes.
    ///
    /// - Throws: `InvalidRecord` when the record contradicts the book; then the book must not be used any more.
    package mutating func apply(_ record: BrokerRecord) throws(InvalidRecord) {
        switch record {
        case .behaviorSet(let behavior, let origin, let at):
            self.behavior = behavior
            if origin == .configuration { configured = (behavior, []) }
            for symbol in resting.keys { watchAll(symbol, from: at) }
        case .rulePut(let rule, let origin, _):
            rules.put(rule)
            if origin == .configuration { configured?.rules.append(rule) }
        case .ruleRemoved(let id, _): rules.remove(id)
        case .rulesCleared: rules.removeAll()
        case .scripted(let decisions, _):
            var script = DecisionLog()
            for decision in decisions { script.add(decision) }
            rules.follow(script)
        case .clockSet(let clock, _): self.clock = clock
        case .priceSet(let symbol, let price, let at):
            prices[symbol] = price
            paths[symbol] = nil
            watchAll(symbol, from: at)
        case .pathSet(let symbol, let path, let at):
            prices[symbol] = path.price(at: at)
            paths[symbol] = path
            watchAll(symbol, from: at)
        case .requested(let fact, let decisions, let at): request(fact, decisions, at: at)
        case .committed(let number, let order, _):
            guard open[number] != nil else { throw .unknownRequest(number) }
            open[number]?.committed = order
        case .replied(let fact, let at):
            guard let request = open.removeValue(forKey: fact.request) else { throw .unknownRequest(fact.request) }
            if request.origin.operation == .placeOrder, fact.fate == .withheld { lostReplies += 1 }
            evidence.add(.reply(fact, to: request.origin, committed: request.committed), at: at)
        case .asked(let sequence, let decisions, let at):
            guard offers.indices.contains(sequence - 1) else { throw .unknownReport(sequence) }
            offers[sequence - 1] += 1
            rules.apply(decisions, at: at)
            for firing in rules.firings(decisions) {
                if case .event(.drop(fromLists: true)) = firing.action { unlisted.insert(sequence) }
            }
        case .offered(let fact, let at):
            guard offers.indices.contains(fact.sequence - 1) else { throw .unknownReport(fact.sequence) }
            if fact.attempt == nil { offers[fact.sequence - 1] += 1 }
            let attempt = fact.attempt ?? offers[fact.sequence - 1]
            evidence.add(
                .delivery(
                    stream: fact.stream, sequence: fact.sequence, attempt: attempt, fact.fate, fact.decisions),
                at: at)
        case .controlled(let method, let body, let at): evidence.add(.control(method: method, body: body), at: at)
        case .accepted(let acceptance): try accept(acceptance)
        case .planned(let id, let plan, let at):
            let index = try index(of: id)
            begin(plan, of: index, at: at)
        case .cancelRequested(let id, let request, let dueAt, _):
            let index = try index(of: id)
            try step(index, .requestCancel)
            let key = OrderKey(account: orders[index].content.key.account, clientOrder: request)
            histories[key, default: History()].canceledOrder = index
            due.insert(DueItem(at: dueAt, kind: .cancel, order: index))
        case .canceled(let id, let cause, let at):
            let index = try index(of: id)
            try cancel(index, cause, at: at)
        case .expired(let id, let at):
            let index = try index(of: id)
            try step(index, .expire)
            report(.expired, index, at: at)
        case .filled(let fill): try book(fill)
        case .acknowledged(let id, let at): report(.new, try index(of: id), at: at)
        case .turned(let id, let kind, let at): try turn(try index(of: id), kind, at: at)
        case .replaceRequested(let id, let replacement, _): try takeOn(replacement, for: try index(of: id))
        case .replaced(let id, let plan, let at): try replace(try index(of: id), plan, at: at)
        case .charged(let id, let commission, let date, let at): try applyCharge(id, commission, on: date, at: at)
        case .busted(let id, let text, let date, let at): try applyBust(id, text: text, on: date, at: at)
        case .corrected(let id, let correction, let date, let at): try applyCorrection(id, correction, on: date, at: at)
        }
    }

    private mutating func request(_ fact: RequestFact, _ decisions: [RuleDecision], at: UnixTime) {
        requestCount += 1
        let attempt = attempts(fact.operation, fact.subject) + 1
        attempts[AttemptKey(operation: fact.operation, subject: fact.subject)] = attempt
        open[requestCount] = OpenRequest(
            origin: RequestOrigin(
                operation: fact.operation, account: fact.account, clientOrder: fact.clientOrder, attempt: attempt,
                fired: decisions.filter(\.fired).map(\.rule)))
        if fact.operation == .placeOrder { placeAttempts += 1 }
        rules.apply(decisions, at: at)
        evidence.add(.request(fact, number: requestCount, attempt: attempt, decisions), at: at)
    }

    private mutating func accept(_ acceptance: BrokerRecord.Acceptance) throws(InvalidRecord) {
        let content = acceptance.content
        let index = orders.count
        guard indexByID.updateValue(index, forKey: acceptance.id) == nil else {
            throw .orderExists(acceptance.id)
        }
        orders.append(
            BookOrder(
                id: acceptance.id, content: content, ordinal: acceptance.ordinal, acceptedAt: acceptance.at,
                traceparent: acceptance.traceparent, template: acceptance.template, plan: acceptance.plan,
                turns: acceptance.turns))
        var history = history(content.key)
        history.lastOrder = index
        history.orderCount += 1
        histories[content.key] = history
        orderIndex.add(index, of: content.key.account)
        accounts.open(content.key.account, cash: behavior.openingCash)
        try reserve(content.quantity, and: acceptance.template.excess, for: index)
        switch acceptance.acknowledgement {
        case .once, .twice: report(.new, index, at: acceptance.at)
        case .never, .afterFills: break
        }
        begin(acceptance.plan, of: index, at: acceptance.at)
        for turn in acceptance.turns { due.insert(DueItem(at: turn.due, kind: .turn(turn.kind), order: index)) }
        if let expires = acceptance.expires { due.insert(DueItem(at: expires, kind: .expire, order: index)) }
    }

    /// Counts shares that may change hands, on top of those before.
    func reserving(_ shares: Quantity, and excess: Quantity, for position: PositionKey) -> Quantity? {
        let first = orderedTotal(position).unscaled.addingReportingOverflow(shares.unscaled)
        let second = first.partialValue.addingReportingOverflow(excess.unscaled)
        return first.overflow || second.overflow ? nil : Quantity(unscaled: second.partialValue)
    }

    mutating func reserve(_ shares: Quantity, and excess: Quantity, for index: Int) throws(InvalidRecord) {
        let position = PositionKey(of: orders[index].content)
        guard let total = reserving(shares, and: excess, for: position) else { throw .outOfRange }
        ordered[position] = total
    }

    /// Lets the order fill by this plan, or rest until the price touches it.
    private mutating func begin(_ plan: FillPlan?, of index: Int, at: UnixTime) {
        let symbol = orders[index].content.symbol
        orders[index].plan = plan
        orders[index].partsDone = 0
        if plan == nil {
            resting[symbol, default: []].insert(index)
            if needsWatch(symbol) { watch(index, from: at) }
        } else {
            resting[symbol]?.remove(index)
            schedule(index)
        }
    }

    /// Puts the next part of the order's plan on the list, the one after follows when it is done; or the end of an order
    /// that does not wait for more.
    ///
    /// - Parameter earliest: what would have been due before is due then.
    mutating func schedule(_ index: Int, notBefore earliest: UnixTime? = nil) {
        let order = orders[index]
        guard let plan = order.plan else { return }
        if plan.parts.indices.contains(order.partsDone) {
            let due = plan.parts[order.partsDone].due
            let time = earliest.map { max($0, due) } ?? due
            orders[index].nextPart = time
            self.due.insert(DueItem(at: time, kind: .fill(part: order.partsDone), order: index))
        } else if order.isOpen, order.isOverdue {
            due.insert(DueItem(at: earliest ?? plan.parts[plan.parts.count - 1].due, kind: .remainder, order: index))
        }
    }

    private mutating func turn(_ index: Int, _ kind: OrderTurn.Kind, at: UnixTime) throws(InvalidRecord) {
        guard let turn = orders[index].turn(kind) else { throw .notInStore(orders[index].id, kind) }
        orders[index].turns.removeAll { $0.kind == kind }
        switch kind {
        case .reject:
            try step(index, .reject)
            report(.rejected, index, text: turn.text, at: at)
        case .cancel: try cancel(index, nil, text: turn.text, at: at)
        case .suspend:
            try step(index, .suspend)
            report(.suspended, index, text: turn.text, at: at)
            // A halt that had to wait is as long as it was meant to be.
            if let resume = orders[index].turn(.resume), resume.due < at + (resume.due - turn.due) {
                put(OrderTurn(.resume, due: at + (resume.due - turn.due)), of: index)
            }
        case .resume:
            try step(index, .resume)
            report(.restated, index, text: "the halt is over", at: at)
            schedule(index, notBefore: at)
        case .restate: report(.restated, index, text: turn.text, at: at)
        }
    }

    private mutating func cancel(
        _ index: Int, _ cause: CancelCause?, text: String = "", at: UnixTime
    ) throws(InvalidRecord) {
        try step(index, .cancel)
        report(.canceled, index, cause: cause, text: text, at: at)
        if orders[index].canFill { schedule(index, notBefore: at) }
    }

    /// Puts a turn of the order at another time.
    private mutating func put(_ turn: OrderTurn, of index: Int) {
        orders[index].turns.removeAll { $0.kind == turn.kind }
        orders[index].turns.append(turn)
        due.insert(DueItem(at: turn.due, kind: .turn(turn.kind), order: index))
    }

    private mutating func takeOn(_ replacement: Replacement, for index: Int) throws(InvalidRecord) {
        let order = orders[index]
        let more = max(0, replacement.terms.quantity.unscaled - order.content.quantity.unscaled)
        try step(index, .requestReplace(replacement))
        try reserve(Quantity(unscaled: more), and: order.template.excess, for: index)
        let key = OrderKey(account: order.content.key.account, clientOrder: replacement.request)
        histories[key, default: History()].replacement = (index, replacement.terms)
        due.insert(DueItem(at: replacement.due, kind: .replace, order: index))
    }

    private mutating func replace(_ index: Int, _ plan: FillPlan?, at: UnixTime) throws(InvalidRecord) {
        try step(index, .replace)
        let order = orders[index]
        guard indexByID.updateValue(index, forKey: order.shownID) ?? index == index else {
            throw .orderExists(order.shownID)
        }
        report(.replaced, index, at: at)
        guard order.isOpen else { return }
        begin(plan, of: index, at: at)
        if let halt = order.turn(.suspend) {
            due.insert(DueItem(at: max(halt.due, at), kind: .turn(.suspend), order: index))
        }
    }

    mutating func step(_ index: Int, _ step: OrderStep) throws(InvalidRecord) {
        do {
            try orders[index].apply(step)
        } catch {
            throw .impossible(orders[index].id, error)
        }
        orderIndex.note(index, of: orders[index].content.key.account, isOpen: orders[index].isOpen)
        if !orders[index].isOpen {
            resting[orders[index].content.symbol]?.remove(index)
            watches[index] = nil
        }
    }

    /// Looks at all resting orders of `symbol` anew.
    private mutating func watchAll(_ symbol: InstrumentID, from time: UnixTime) {
        for index in resting[symbol] ?? [] {
            if needsWatch(symbol) { watch(index, from: time) } else { watches[index] = nil }
        }
    }

    private mutating func watch(_ index: Int, from time: UnixTime) {
        watchCount += 1
        watches[index] = watchCount
        due.insert(DueItem(at: time, kind: .look(watch: watchCount), order: index))
    }

    /// Takes the look that is due, which is the earliest item.
    mutating func look(_ item: DueItem, _ venue: BookRules) {
        due.removeMin()
        if let next = next(after: item, venue) { due.insert(next) } else { watches[item.order] = nil }
    }

    /// Puts something on the list of what falls due.
    mutating func expect(_ item: DueItem) { due.insert(item) }

    /// Puts a report on the feed.
    ///
    /// - Parameters:
    ///   - execution: what it is about, as that stands now.
    ///   - reference: the earlier report that it is about.
    mutating func report(
        _ kind: ReportKind, _ index: Int, execution: BookExecution? = nil, reference: Int? = nil,
        cause: CancelCause? = nil, text: String = "", at: UnixTime
    ) {
        orders[index].reports += 1
        let order = orders[index]
        feed.append(
            FeedEntry(
                order: index, ordinal: order.reports, kind: kind, status: order.status, orderID: order.shownID,
                clientOrder: order.content.key.clientOrder,
                replacedClientOrder: kind == .replaced ? order.replacedClientOrder : nil,
                quantity: order.content.quantity, reference: reference,
                lastQuantity: kind == .restated ? .zero : execution?.quantity ?? .zero,
                lastPrice: kind == .restated ? .zero : execution?.price ?? .zero, filled: order.filled,
                leaves: order.leaves, commission: kind == .tradeCancel ? nil : execution?.commission,
                tradeDate: execution?.tradeDate, cause: cause, text: text, at: at))
        offers.append(0)
        orderIndex.addReport(of: index)
    }

    func index(of id: BrokerOrderID) throws(InvalidRecord) -> Int {
        guard let index = indexByID[id] else { throw .unknownOrder(id) }
        return index
    }
}

/// A record that contradicts the book: our mistake, or a journal that was tampered with.
package enum InvalidRecord: Error, Hashable, Sendable {
    case unknownOrder(BrokerOrderID)
    case orderExists(BrokerOrderID)
    case impossible(BrokerOrderID, InvalidStep)
    case unknownRequest(Int)
    case unknownReport(Int)
    case unknownExecution(BrokerExecutionID)
    /// A fill of a plan that has no such part.
    case unplanned(BrokerOrderID)
    case notInStore(BrokerOrderID, OrderTurn.Kind)
    case unknownNamespace(String)
    case namespaceExists(String)
    case outOfRange
}
