internal import Contracts
internal import Domain
internal import Limits
internal import Protobuf

// The tags and the order of fields are the format of the journal: they never change, new ones are added.
extension BrokerRecord {
    private enum Tag: UInt8 {
        case behaviorSet = 1
        case priceSet, accepted, planned, cancelRequested, canceled, filled, expired
        case rulePut, ruleRemoved, rulesCleared, scripted, clockSet
        case requested, committed, replied, offered, controlled, asked
        case pathSet
        case acknowledged, turned, replaceRequested, replaced, charged, busted, corrected
    }

    /// The one form of this record in bytes.
    package var encoded: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .behaviorSet(let behavior, let origin, let at):
            writer.append(Tag.behaviorSet, at)
            writer.append(origin.rawValue)
            writer.append(BrokerBehavior(behavior).encoded())
        case .rulePut(let rule, let origin, let at):
            writer.append(Tag.rulePut, at)
            writer.append(origin.rawValue)
            writer.append(rule.source.encoded())
        case .ruleRemoved(let id, let at):
            writer.append(Tag.ruleRemoved, at)
            writer.append(id)
        case .rulesCleared(let at): writer.append(Tag.rulesCleared, at)
        case .scripted(let decisions, let at):
            writer.append(Tag.scripted, at)
            writer.append(decisions)
        case .clockSet(let clock, let at):
            writer.append(Tag.clockSet, at)
            switch clock {
            case .running(let ahead):
                writer.append(0 as UInt8)
                writer.append(ahead.wholeNanoseconds)
            case .frozen(let time):
                writer.append(1 as UInt8)
                writer.append(time.nanoseconds)
            }
        case .priceSet(let symbol, let price, let at):
            writer.append(Tag.priceSet, at)
            writer.append(symbol.text)
            writer.append(price.unscaled)
        case .requested(let fact, let decisions, let at):
            writer.append(Tag.requested, at)
            writer.append(fact)
            writer.append(decisions)
        case .committed(let request, let order, let at):
            writer.append(Tag.committed, at)
            writer.append(Int64(request))
            writer.append(order.text)
        case .replied(let fact, let at):
            writer.append(Tag.replied, at)
            writer.append(Int64(fact.request))
            writer.append(Int64(fact.code ?? -1))
            writer.append(fact.reason)
            writer.append(Int64(fact.shownCode ?? -1))
            writer.append(fact.fate.rawValue)
        case .offered(let fact, let at):
            writer.append(Tag.offered, at)
            writer.append(Int64(fact.stream))
            writer.append(Int64(fact.sequence))
            writer.append(Int64(fact.attempt ?? 0))
            writer.append(fact.fate.rawValue)
            writer.append(fact.decisions)
        case .asked(let sequence, let decisions, let at):
            writer.append(Tag.asked, at)
            writer.append(Int64(sequence))
            writer.append(decisions)
        case .controlled(let method, let body, let at):
            writer.append(Tag.controlled, at)
            writer.append(method)
            writer.append(body)
        case .accepted(let acceptance):
            writer.append(Tag.accepted, acceptance.at)
            writer.append(acceptance.id.text)
            writer.append(acceptance.content)
            writer.append(Int64(acceptance.ordinal))
            writer.append(acceptance.template)
            writer.append(acceptance.plan)
            writer.append(acceptance.expires)
            writer.append(acceptance.traceparent)
            writer.append(acceptance.acknowledgement.rawValue)
            writer.append(acceptance.turns)
        case .planned(let id, let plan, let at):
            writer.append(Tag.planned, at)
            writer.append(id.text)
            writer.append(plan)
        case .cancelRequested(let id, let request, let due, let at):
            writer.append(Tag.cancelRequested, at)
            writer.append(id.text)
            writer.append(request.text)
            writer.append(due.nanoseconds)
        case .canceled(let id, let cause, let at):
            writer.append(Tag.canceled, at)
            writer.append(id.text)
            writer.append(cause.rawValue)
        case .filled(let fill):
            writer.append(Tag.filled, fill.at)
            writer.append(fill.order.text)
            writer.append(fill.quantity.unscaled)
            writer.append(fill.price.unscaled)
            writer.append(fill.commission)
            writer.append(Int64(fill.tradeDate.epochDay))
            writer.append(fill.isPlanned ? 1 as UInt8 : 0)
        case .expired(let id, let at):
            writer.append(Tag.expired, at)
            writer.append(id.text)
        case .pathSet(let symbol, let path, let at):
            writer.append(Tag.pathSet, at)
            writer.append(symbol.text)
            writer.append(path)
        case .acknowledged(let id, let at):
            writer.append(Tag.acknowledged, at)
            writer.append(id.text)
        case .turned(let id, let kind, let at):
            writer.append(Tag.turned, at)
            writer.append(id.text)
            writer.append(kind.rawValue)
        case .replaceRequested(let id, let replacement, let at):
            writer.append(Tag.replaceRequested, at)
            writer.append(id.text)
            writer.append(replacement)
        case .replaced(let id, let plan, let at):
            writer.append(Tag.replaced, at)
            writer.append(id.text)
            writer.append(plan)
        case .charged(let id, let commission, let date, let at):
            writer.append(Tag.charged, at)
            writer.append(id.text)
            writer.append(commission.minorUnits)
            writer.append(Int64(date.epochDay))
        case .busted(let id, let text, let date, let at):
            writer.append(Tag.busted, at)
            writer.append(id.text)
            writer.append(text)
            writer.append(Int64(date.epochDay))
        case .corrected(let id, let correction, let date, let at):
            writer.append(Tag.corrected, at)
            writer.append(id.text)
            writer.append(correction.quantity.unscaled)
            writer.append(correction.price.unscaled)
            writer.append(correction.commission)
            writer.append(correction.isPlanned ? 1 as UInt8 : 0)
            writer.append(correction.text)
            writer.append(Int64(date.epochDay))
        }
        return writer.bytes
    }

    /// Reads one record that fills `bytes`.
    package init(decoding bytes: ArraySlice<UInt8>) throws(RecordCodingError) {
        var reader = ByteReader(bytes)
        let tagByte = try reader.byte()
        guard let tag = Tag(rawValue: tagByte) else { throw .unknownTag(tagByte) }
        let at = UnixTime(nanoseconds: try reader.signed())
        switch tag {
        case .behaviorSet:
            let origin: SettingOrigin = try reader.choice()
            self = .behaviorSet(try reader.behavior(), origin, at: at)
        case .rulePut:
            let origin: SettingOrigin = try reader.choice()
            self = .rulePut(try reader.rule(), origin, at: at)
        case .ruleRemoved: self = .ruleRemoved(try reader.text(), at: at)
        case .rulesCleared: self = .rulesCleared(at: at)
        case .scripted: self = .scripted(try reader.decisions(), at: at)
        case .clockSet:
            let isFrozen = try reader.flag()
            let value = try reader.signed()
            let clock: NamespaceClock =
                isFrozen ? .frozen(UnixTime(nanoseconds: value)) : .running(ahead: .nanoseconds(value))
            self = .clockSet(clock, at: at)
        case .priceSet: self = .priceSet(try reader.id(), try reader.price(), at: at)
        case .requested: self = .requested(try reader.request(), try reader.decisions(), at: at)
        case .committed: self = .committed(request: try reader.count(), try reader.id(), at: at)
        case .replied:
            self = .replied(
                ReplyFact(
                    request: try reader.count(), code: try reader.code(), reason: try reader.text(),
                    shownCode: try reader.code(), fate: try reader.choice()), at: at)
        case .offered:
            let stream = try reader.count()
            let sequence = try reader.count()
            let attempt = try reader.count()
            self = .offered(
                OfferFact(
                    stream: stream, sequence: sequence, attempt: attempt == 0 ? nil : attempt,
                    fate: try reader.choice(), decisions: try reader.decisions()), at: at)
        case .asked: self = .asked(sequence: try reader.count(), try reader.decisions(), at: at)
        case .controlled: self = .controlled(method: try reader.text(), body: Array(try reader.slice()), at: at)
        case .accepted:
            self = .accepted(
                Acceptance(
                    id: try reader.id(), content: try reader.content(), ordinal: Int(try reader.signed()),
                    template: try reader.template(), plan: try reader.optionalPlan(),
                    expires: try reader.optionalTime(), traceparent: try reader.text(),
                    acknowledgement: try reader.choice(), turns: try reader.turns(), at: at))
        case .planned:
            let id: BrokerOrderID = try reader.id()
            guard let plan = try reader.optionalPlan() else { throw .malformed }
            self = .planned(id, plan, at: at)
        case .cancelRequested:
            self = .cancelRequested(
                try reader.id(), request: try reader.id(), due: UnixTime(nanoseconds: try reader.signed()), at: at)
        case .canceled: self = .canceled(try reader.id(), try reader.choice(), at: at)
        case .filled:
            self = .filled(
                Fill(
                    order: try reader.id(), quantity: try reader.quantity(), price: try reader.price(),
                    commission: try reader.optionalMoney(), tradeDate: try reader.date(), isPlanned: try reader.flag(),
                    at: at))
        case .expired: self = .expired(try reader.id(), at: at)
        case .pathSet:
            let symbol: InstrumentID = try reader.id()
            self = .pathSet(symbol, try reader.path(of: symbol), at: at)
        case .acknowledged: self = .acknowledged(try reader.id(), at: at)
        case .turned: self = .turned(try reader.id(), try reader.choice(), at: at)
        case .replaceRequested: self = .replaceRequested(try reader.id(), try reader.replacement(), at: at)
        case .replaced: self = .replaced(try reader.id(), try reader.optionalPlan(), at: at)
        case .charged:
            self = .charged(
                try reader.id(), Money(minorUnits: try reader.signed(), currency: .usd), on: try reader.date(), at: at)
        case .busted: self = .busted(try reader.id(), text: try reader.text(), on: try reader.date(), at: at)
        case .corrected:
            self = .corrected(
                try reader.id(),
                ExecutionCorrection(
                    quantity: try reader.quantity(), price: try reader.price(),
                    commission: try reader.optionalMoney(), isPlanned: try reader.flag(), text: try reader.text()),
                on: try reader.date(), at: at)
        }
        guard reader.isAtEnd else { throw .malformed }
    }
}

extension ByteWriter {
    fileprivate mutating func append(_ tag: some RawRepresentable<UInt8>, _ at: UnixTime) {
        append(tag.rawValue)
        append(at.nanoseconds)
    }

    fileprivate mutating func append(_ key: OrderKey) {
        append(key.account.text)
        append(key.clientOrder.text)
    }

    fileprivate mutating func append(_ content: OrderContent) {
        append(content.key)
        append(content.symbol.text)
        append(content.side.code)
        append(content.quantity.unscaled)
        append(content.timeInForce.code)
        switch content.type {
        case .market: append(0 as UInt8)
        case .limit(let price):
            append(1 as UInt8)
            append(price.unscaled)
        }
    }

    fileprivate mutating func append(_ plan: FillPlan?) {
        append(unsigned: UInt64(plan?.parts.count ?? 0))
        for part in plan?.parts ?? [] {
            append(part.due.nanoseconds)
            append(part.quantity.unscaled)
            append(part.price.unscaled)
            append(part.aftermath)
        }
    }

    /// Nothing to come, as usual, takes a byte.
    private mutating func append(_ aftermath: FillAftermath) {
        let delays = [aftermath.commission, aftermath.bust, aftermath.correction]
        append(delays.enumerated().reduce(0 as UInt8) { $1.element == nil ? $0 : $0 | 1 << UInt8($1.offset) })
        for delay in delays { if let delay { append(delay) } }
    }

    fileprivate mutating func append(_ money: Money?) {
        append(money == nil ? 0 as UInt8 : 1)
        if let money { append(money.minorUnits) }
    }

    fileprivate mutating func append(_ turns: [OrderTurn]) {
        append(unsigned: UInt64(turns.count))
        for turn in turns {
            append(turn.kind.rawValue)
            append(turn.due.nanoseconds)
            append(turn.text)
        }
    }

    fileprivate mutating func append(_ replacement: Replacement) {
        append(replacement.request.text)
        append(replacement.terms.quantity.unscaled)
        append(replacement.terms.limit == nil ? 0 as UInt8 : 1)
        if let limit = replacement.terms.limit { append(limit.unscaled) }
        append(replacement.due.nanoseconds)
        append(replacement.newID?.text ?? "")
    }

    fileprivate mutating func append(_ time: UnixTime?) {
        append(time == nil ? 0 as UInt8 : 1)
        if let time { append(time.nanoseconds) }
    }

    fileprivate mutating func append(_ template: FillTemplate) {
        append(unsigned: UInt64(template.parts.count))
        for part in template.parts {
            append(part.delay)
            switch part.size {
            case .weight(let weight):
                append(0 as UInt8)
                append(weight)
            case .exactly(let quantity):
                append(1 as UInt8)
                append(quantity.unscaled)
            case .rest: append(2 as UInt8)
            }
            append(part.price == nil ? 0 as UInt8 : 1)
            if let price = part.price { append(price.unscaled) }
            append(part.aftermath)
        }
        append(template.comesBeforeAcknowledgement ? 1 as UInt8 : 0)
        append(template.goesOnAfterCancel ? 1 as UInt8 : 0)
        append(template.overfill.unscaled)
        append(template.priceOffset.unscaled)
        append(template.commissionCurrency)
        append(template.correction.priceOffset.unscaled)
        append(template.correction.quantityOffset.unscaled)
    }

    fileprivate mutating func append(_ fact: RequestFact) {
        append(fact.operation.rawValue)
        append(fact.subject)
        append(fact.account)
        append(fact.clientOrder)
        append(fact.timeLeft == nil ? 0 as UInt8 : 1)
        if let timeLeft = fact.timeLeft { append(timeLeft.wholeNanoseconds) }
        append(unsigned: UInt64(fact.metadata.count))
        for (name, value) in fact.metadata.sorted(by: { $0.key < $1.key }) {
            append(name)
            append(value)
        }
        append(fact.body)
    }

    fileprivate mutating func append(_ decisions: [RuleDecision]) {
        append(unsigned: UInt64(decisions.count))
        for decision in decisions {
            append(decision.rule)
            append(decision.point.rawValue)
            append(decision.subject)
            append(Int64(decision.attempt))
            append(decision.fired ? 1 as UInt8 : 0)
            append(unsigned: UInt64(decision.values.count))
            for value in decision.values { append(value) }
        }
    }
}

extension ByteReader {
    fileprivate mutating func id<Kind>() throws(RecordCodingError) -> ID<Kind> {
        guard let id = ID<Kind>(rawValue: try text()) else { throw .malformed }
        return id
    }

    fileprivate mutating func choice<Value: RawRepresentable<UInt8>>() throws(RecordCodingError) -> Value {
        guard let value = Value(rawValue: try byte()) else { throw .malformed }
        return value
    }

    fileprivate mutating func flag() throws(RecordCodingError) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        default: throw .malformed
        }
    }

    fileprivate mutating func small() throws(RecordCodingError) -> Int32 {
        guard let value = Int32(exactly: try signed()) else { throw .malformed }
        return value
    }

    fileprivate mutating func price() throws(RecordCodingError) -> Price { Price(unscaled: try signed()) }
    fileprivate mutating func quantity() throws(RecordCodingError) -> Quantity { Quantity(unscaled: try signed()) }
    fileprivate mutating func date() throws(RecordCodingError) -> CivilDate { CivilDate(epochDay: try small()) }
    fileprivate mutating func key() throws(RecordCodingError) -> OrderKey {
        OrderKey(account: try id(), clientOrder: try id())
    }

    fileprivate mutating func content() throws(RecordCodingError) -> OrderContent {
        let key = try key()
        let symbol: InstrumentID = try id()
        guard let side = Side(code: try byte()) else { throw .malformed }
        let quantity = try quantity()
        guard let timeInForce = TimeInForce(code: try byte()) else { throw .malformed }
        let type: OrderType = try flag() ? .limit(try price()) : .market
        return OrderContent(
            key: key, symbol: symbol, side: side, type: type, quantity: quantity, timeInForce: timeInForce)
    }

    fileprivate mutating func optionalPlan() throws(RecordCodingError) -> FillPlan? {
        let count = try unsigned()
        guard count > 0 else { return nil }
        guard count <= UInt64(FillTemplate.maximumParts) else { throw .malformed }
        var parts: [FillPlan.Part] = []
        for _ in 0..<count {
            parts.append(
                FillPlan.Part(
                    due: UnixTime(nanoseconds: try signed()), quantity: try quantity(), price: try price(),
                    aftermath: try aftermath()))
        }
        return FillPlan(parts: parts)
    }

    private mutating func aftermath() throws(RecordCodingError) -> FillAftermath {
        let bits = try byte()
        guard bits < 8 else { throw .malformed }
        return FillAftermath(
            commission: bits & 1 == 0 ? nil : try signed(), bust: bits & 2 == 0 ? nil : try signed(),
            correction: bits & 4 == 0 ? nil : try signed())
    }

    fileprivate mutating func optionalMoney() throws(RecordCodingError) -> Money? {
        try flag() ? Money(minorUnits: try signed(), currency: .usd) : nil
    }

    fileprivate mutating func turns() throws(RecordCodingError) -> [OrderTurn] {
        var turns: [OrderTurn] = []
        for _ in 0..<(try elements()) {
            turns.append(OrderTurn(try choice(), due: UnixTime(nanoseconds: try signed()), text: try text()))
        }
        return turns
    }

    fileprivate mutating func replacement() throws(RecordCodingError) -> Replacement {
        let request: ClientOrderID = try id()
        let terms = ReplaceTerms(
            quantity: try quantity(), limit: try flag() ? try price() : nil)
        let due = UnixTime(nanoseconds: try signed())
        let newID = try text()
        guard newID.isEmpty || BrokerOrderID(rawValue: newID) != nil else { throw .malformed }
        return Replacement(request: request, terms: terms, due: due, newID: BrokerOrderID(rawValue: newID))
    }

    fileprivate mutating func optionalTime() throws(RecordCodingError) -> UnixTime? {
        try flag() ? UnixTime(nanoseconds: try signed()) : nil
    }

    fileprivate mutating func count() throws(RecordCodingError) -> Int {
        guard let value = Int(exactly: try signed()), value >= 0 else { throw .malformed }
        return value
    }

    /// A status code, or nil for -1.
    fileprivate mutating func code() throws(RecordCodingError) -> Int? {
        switch try signed() {
        case -1: nil
        case let value where (0...16).contains(value): Int(value)
        default: throw .malformed
        }
    }

    /// How many elements follow, each at least one byte.
    private mutating func elements() throws(RecordCodingError) -> Int {
        guard let count = Int(exactly: try unsigned()), count <= remaining else { throw .malformed }
        return count
    }

    fileprivate mutating func template() throws(RecordCodingError) -> FillTemplate {
        var parts: [FillTemplate.Part] = []
        for _ in 0..<(try elements()) {
            var part = FillTemplate.Part(delay: try signed())
            switch try byte() {
            case 0: part.size = .weight(try signed())
            case 1: part.size = .exactly(try quantity())
            case 2: part.size = .rest
            default: throw .malformed
            }
            part.price = try flag() ? try price() : nil
            part.aftermath = try aftermath()
            parts.append(part)
        }
        var template = FillTemplate(parts: parts)
        template.comesBeforeAcknowledgement = try flag()
        template.goesOnAfterCancel = try flag()
        template.overfill = try quantity()
        template.priceOffset = try price()
        template.commissionCurrency = try text()
        template.correction.priceOffset = try price()
        template.correction.quantityOffset = try quantity()
        return template
    }

    fileprivate mutating func request() throws(RecordCodingError) -> RequestFact {
        let operation: Operation = try choice()
        let subject = try text()
        let account = try text()
        let clientOrder = try text()
        let timeLeft: Duration? = try flag() ? .nanoseconds(try signed()) : nil
        var metadata: [String: String] = [:]
        for _ in 0..<(try elements()) {
            let name = try text()
            metadata[name] = try text()
        }
        return RequestFact(
            operation: operation, subject: subject, account: account, clientOrder: clientOrder, timeLeft: timeLeft,
            metadata: metadata, body: Array(try slice()))
    }

    fileprivate mutating func decisions() throws(RecordCodingError) -> [RuleDecision] {
        var decisions: [RuleDecision] = []
        for _ in 0..<(try elements()) {
            let rule = try text()
            let point: InjectionPoint = try choice()
            let subject = try text()
            let attempt = try count()
            let fired = try flag()
            var values: [Int64] = []
            for _ in 0..<(try elements()) { values.append(try signed()) }
            decisions.append(
                RuleDecision(
                    rule: rule, point: point, subject: subject, attempt: attempt, fired: fired, values: values))
        }
        return decisions
    }

    fileprivate mutating func behavior() throws(RecordCodingError) -> Behavior {
        guard let wire = try? BrokerBehavior(decoding: Array(try slice())), let behavior = try? Behavior(wire) else {
            throw .malformed
        }
        return behavior
    }

    fileprivate mutating func rule() throws(RecordCodingError) -> Rule {
        guard let wire = try? BrokerRule(decoding: Array(try slice())), let rule = try? Rule(wire) else {
            throw .malformed
        }
        return rule
    }
}

// The codes of the journal; FIX's own where it has one.

extension Side {
    fileprivate var code: UInt8 {
        switch self {
        case .buy: 1
        case .sell: 2
        }
    }
    fileprivate init?(code: UInt8) { self.init(code, of: Self.allCases, by: \.code) }
}

extension TimeInForce {
    fileprivate var code: UInt8 {
        switch self {
        case .day: 0
        case .goodTillCancel: 1
        case .immediateOrCancel: 3
        case .fillOrKill: 4
        }
    }
    fileprivate init?(code: UInt8) { self.init(code, of: Self.allCases, by: \.code) }
}

extension CaseIterable {
    fileprivate init?(_ code: UInt8, of cases: [Self], by path: KeyPath<Self, UInt8>) {
        guard let match = cases.first(where: { $0[keyPath: path] == code }) else { return nil }
        self = match
    }
}
