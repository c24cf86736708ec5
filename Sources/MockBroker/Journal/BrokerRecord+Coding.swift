internal import Domain

// The tags and the order of fields are the format of the journal: they never change, new ones are added.
extension BrokerRecord {
    private enum Tag: UInt8 {
        case behaviorSet = 1
        case priceSet, attempted, accepted, planned, cancelRequested, canceled, filled, expired
        /// `accepted`, and then the trace. Journals from before it was kept have `accepted` alone.
        case acceptedWithTrace
    }

    /// The one form of this record in bytes.
    package var encoded: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .behaviorSet(let behavior, let origin, let at):
            writer.append(Tag.behaviorSet, at)
            writer.append(origin.rawValue)
            writer.append(behavior)
        case .priceSet(let symbol, let price, let at):
            writer.append(Tag.priceSet, at)
            writer.append(symbol.text)
            writer.append(price.unscaled)
        case .attempted(let attempt):
            writer.append(Tag.attempted, attempt.at)
            writer.append(attempt.key)
            writer.append(attempt.outcome.rawValue)
            writer.append(attempt.replyLost ? 1 as UInt8 : 0)
        case .accepted(let acceptance):
            let isTraced = !acceptance.traceparent.isEmpty
            writer.append(isTraced ? Tag.acceptedWithTrace : Tag.accepted, acceptance.at)
            writer.append(acceptance.id.text)
            writer.append(acceptance.content)
            writer.append(Int64(acceptance.ordinal))
            writer.append(acceptance.plan)
            writer.append(acceptance.expires)
            if isTraced { writer.append(acceptance.traceparent) }
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
            writer.append(fill.commission.minorUnits)
            writer.append(Int64(fill.tradeDate.epochDay))
            writer.append(fill.isPlanned ? 1 as UInt8 : 0)
        case .expired(let id, let at):
            writer.append(Tag.expired, at)
            writer.append(id.text)
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
            let origin: BehaviorOrigin = try reader.choice()
            self = .behaviorSet(try reader.behavior(), origin, at: at)
        case .priceSet: self = .priceSet(try reader.id(), try reader.price(), at: at)
        case .attempted:
            self = .attempted(
                Attempt(key: try reader.key(), outcome: try reader.choice(), replyLost: try reader.flag(), at: at))
        case .accepted, .acceptedWithTrace:
            self = .accepted(
                Acceptance(
                    id: try reader.id(), content: try reader.content(), ordinal: Int(try reader.signed()),
                    plan: try reader.optionalPlan(), expires: try reader.optionalTime(),
                    traceparent: tag == .acceptedWithTrace ? try reader.trace() : "", at: at))
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
                    commission: Money(minorUnits: try reader.signed(), currency: .usd),
                    tradeDate: try reader.date(), isPlanned: try reader.flag(), at: at))
        case .expired: self = .expired(try reader.id(), at: at)
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
        guard let plan else { return }
        append(plan.price.unscaled)
        for part in plan.parts {
            append(part.due.nanoseconds)
            append(part.quantity.unscaled)
        }
    }

    fileprivate mutating func append(_ time: UnixTime?) {
        append(time == nil ? 0 as UInt8 : 1)
        if let time { append(time.nanoseconds) }
    }

    fileprivate mutating func append(_ behavior: Behavior) {
        append(behavior.seed)
        let latencies = [
            behavior.replyLatency, behavior.fillLatency, behavior.cancelLatency, behavior.feedLatency,
        ]
        for latency in latencies {
            append(latency.minimumMilliseconds)
            append(latency.maximumMilliseconds)
        }
        append(Int64(behavior.lostReplyPer10000))
        append(Int64(behavior.loseFirstReplies))
        append(Int64(behavior.lostRequestPer10000))
        append(Int64(behavior.fillCopies))
        append(behavior.idempotencyMode.code)
        append(Int64(behavior.fillParts))
        append(behavior.fillMode.rawValue)
        append(behavior.visibilityDelayMilliseconds)
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
        guard count <= UInt64(Behavior.maximumCount) else { throw .malformed }
        let price = try price()
        var parts: [FillPlan.Part] = []
        for _ in 0..<count {
            parts.append(FillPlan.Part(due: UnixTime(nanoseconds: try signed()), quantity: try quantity()))
        }
        return FillPlan(price: price, parts: parts)
    }

    fileprivate mutating func trace() throws(RecordCodingError) -> String {
        let text = try text()
        guard !text.isEmpty else { throw .malformed }
        return text
    }

    fileprivate mutating func optionalTime() throws(RecordCodingError) -> UnixTime? {
        try flag() ? UnixTime(nanoseconds: try signed()) : nil
    }

    fileprivate mutating func latency() throws(RecordCodingError) -> Behavior.Latency {
        Behavior.Latency(minimumMilliseconds: try signed(), maximumMilliseconds: try signed())
    }

    fileprivate mutating func behavior() throws(RecordCodingError) -> Behavior {
        var behavior = Behavior()
        behavior.seed = try signed()
        behavior.replyLatency = try latency()
        behavior.fillLatency = try latency()
        behavior.cancelLatency = try latency()
        behavior.feedLatency = try latency()
        behavior.lostReplyPer10000 = try small()
        behavior.loseFirstReplies = try small()
        behavior.lostRequestPer10000 = try small()
        behavior.fillCopies = try small()
        guard let mode = IdempotencyMode(code: try byte()) else { throw .malformed }
        behavior.idempotencyMode = mode
        behavior.fillParts = try small()
        behavior.fillMode = try choice()
        behavior.visibilityDelayMilliseconds = try signed()
        return behavior
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

extension IdempotencyMode {
    fileprivate var code: UInt8 {
        switch self {
        case .returnOriginal: 1
        case .rejectDuplicate: 2
        case .echoOnly: 3
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
