/// What the executions of one order add up to. Quantities and amounts are derived here and set nowhere else.
///
/// The result depends on the set of reports, not on their order: a duplicate changes nothing, a bust that overtakes its
/// execution voids it on arrival. Busts and corrections reverse; nothing is ever deleted.
public struct ExecutionBook: Hashable, Sendable {
    /// Whether an execution counts.
    public enum Standing: Hashable, Sendable {
        case live
        /// Void: the venue took it back.
        case busted(by: ExecutionID)
        /// Void: another execution stands in its place.
        case corrected(by: ExecutionID)
    }

    public struct Record: Hashable, Sendable {
        public let execution: Execution
        /// All fees of the execution; may arrive after it.
        public internal(set) var fee: Money
        public internal(set) var standing: Standing
    }

    /// Why a report was kept out of the sums.
    public enum Refusal: Hashable, Sendable {
        /// Known already, with the same content.
        case duplicate
        /// Known already, with other content; the first report stands.
        case conflicting(ExecutionID)
        /// Another id for an execution that is booked: the broker's cumulative quantity has not moved.
        case twin(of: ExecutionID)
    }

    /// How one report changed the sums.
    public struct Change: Hashable, Sendable {
        /// Executions that count from now on, in the order of booking.
        public var booked: [Execution] = []
        /// Executions that no longer count.
        public var reversed: [Execution] = []
        /// The change of the exact value at trade prices, rounded as a difference of rounded sums.
        public var value: Money
        /// The change of the fees.
        public var fee: Money
        public var refusal: Refusal?
    }

    /// The rule for trade amounts: the cumulative value of an order is rounded, and each execution takes the difference
    /// to the sum before it, so that the parts always add up to the whole.
    public static let rounding = RoundingRule.halfUp

    public let currency: Currency
    /// Sum of the live executions: CumQty (14).
    public private(set) var cumQuantity: Quantity = .zero
    /// Sum of the live executions' fees.
    public private(set) var fees: Money
    /// Price times quantity of the live executions, at scale 13.
    private var exactValue: Int128 = 0
    private var records: [ExecutionID: Record] = [:]
    /// Busts that arrived before their execution: execution -> bust.
    private var earlyBusts: [ExecutionID: ExecutionID] = [:]
    /// Corrections that arrived before their execution: execution -> replacement.
    private var earlyCorrections: [ExecutionID: ExecutionID] = [:]

    public init(currency: Currency) {
        self.currency = currency
        fees = .zero(currency)
    }

    /// AvgPx (6): scale 4, half-even; nil without executions.
    public var averagePrice: Price? { Price.average(value: exactValue, over: cumQuantity) }

    /// The value of all live executions at trade prices, without fees.
    ///
    /// - Throws: `MoneyError.overflow` when it does not fit.
    public var value: Money { get throws(MoneyError) { try Self.money(exactValue, currency) } }

    public var isEmpty: Bool { records.isEmpty }
    public func record(_ id: ExecutionID) -> Record? { records[id] }
    public var liveExecutions: [Execution] {
        records.values.filter { $0.standing == .live }.map(\.execution)
            .sorted { ($0.transactTime, $0.id) < ($1.transactTime, $1.id) }
    }

    /// Takes an execution in.
    public mutating func book(_ execution: Execution) throws(BookingError) -> Change {
        try validate(execution)
        if let known = records[execution.id] {
            return refused(known.execution.tellsTheSame(as: execution) ? .duplicate : .conflicting(execution.id))
        }
        if let twin = records.values.first(where: { $0.standing == .live && execution.isTwin(of: $0.execution) }) {
            return refused(.twin(of: twin.execution.id))
        }
        return try changing { (book, change) throws(BookingError) in
            let replacement = book.earlyCorrections.removeValue(forKey: execution.id)
            let bust = book.earlyBusts.removeValue(forKey: execution.id)
            let standing =
                replacement.map { Standing.corrected(by: $0) } ?? bust.map { .busted(by: $0) } ?? .live
            book.records[execution.id] = Record(execution: execution, fee: execution.fee, standing: standing)
            if standing == .live { try book.count(execution, fee: execution.fee, sign: 1, in: &change) }
        }
    }

    /// Voids the execution `reference`, or what was put in its place by a correction.
    public mutating func bust(_ reference: ExecutionID, by bust: ExecutionID) throws(BookingError) -> Change {
        guard let last = lastOfChain(reference), let record = records[last] else {
            guard earlyBusts[reference] == nil else { return refused(.duplicate) }
            return try changing { (book, _) throws(BookingError) in book.earlyBusts[reference] = bust }
        }
        guard record.standing == .live else { return refused(.duplicate) }
        return try changing { (book, change) throws(BookingError) in
            book.records[last]?.standing = .busted(by: bust)
            try book.count(record.execution, fee: record.fee, sign: -1, in: &change)
        }
    }

    /// Puts `replacement` in the place of the execution `reference`: reversal and new booking in one change.
    public mutating func correct(
        _ reference: ExecutionID, with replacement: Execution
    ) throws(BookingError) -> Change {
        try validate(replacement)
        guard reference != replacement.id else { throw .selfReference(reference) }
        if let known = records[replacement.id] {
            return refused(known.execution.tellsTheSame(as: replacement) ? .duplicate : .conflicting(replacement.id))
        }
        let last = lastOfChain(reference)
        let earlyBust = last == nil ? earlyBusts[reference] : nil
        return try changing { (book, change) throws(BookingError) in
            var standing = Standing.live
            if let last, let record = book.records[last] {
                switch record.standing {
                case .live:
                    book.records[last]?.standing = .corrected(by: replacement.id)
                    try book.count(record.execution, fee: record.fee, sign: -1, in: &change)
                case .busted(let bust): standing = .busted(by: bust)  // A void execution has nothing to correct.
                case .corrected: break  // `lastOfChain` ends elsewhere.
                }
            } else {
                book.earlyCorrections[reference] = replacement.id
                if let earlyBust { standing = .busted(by: earlyBust) }
            }
            if let bust = book.earlyBusts.removeValue(forKey: replacement.id) { standing = .busted(by: bust) }
            book.records[replacement.id] = Record(
                execution: replacement, fee: replacement.fee, standing: standing)
            if standing == .live { try book.count(replacement, fee: replacement.fee, sign: 1, in: &change) }
        }
    }

    /// Sets all fees of a booked execution, where the broker reports them after it. Repeatable: it is the whole, not a
    /// difference.
    public mutating func setFee(_ fee: Money, of id: ExecutionID) throws(BookingError) -> Change {
        guard fee.currency == currency else { throw .wrongCurrency(fee.currency) }
        guard let record = records[id] else { throw .unknownExecution(id) }
        guard record.fee != fee else { return refused(.duplicate) }
        return try changing { (book, change) throws(BookingError) in
            book.records[id]?.fee = fee
            guard record.standing == .live else { return }
            change.fee = try Self.checked { () throws(MoneyError) in try fee - record.fee }
            book.fees = try Self.checked { [fees = book.fees, difference = change.fee] () throws(MoneyError) in
                try fees + difference
            }
        }
    }

    /// Follows corrections to the execution that counts (or would, had it not been busted).
    private func lastOfChain(_ id: ExecutionID) -> ExecutionID? {
        var current = id
        for _ in 0...records.count {
            if let record = records[current] {
                guard case .corrected(let next) = record.standing else { return current }
                current = next
            } else {
                guard let next = earlyCorrections[current] else { return nil }
                current = next
            }
        }
        return nil  // A cycle of references: the broker's nonsense, treated as unknown.
    }

    /// Runs `body` on a copy, so that an error leaves the book as it was.
    private mutating func changing(
        _ body: (inout ExecutionBook, inout Change) throws(BookingError) -> Void
    ) throws(BookingError) -> Change {
        var next = self
        var change = Change(value: .zero(currency), fee: .zero(currency))
        try body(&next, &change)
        change.value = try Self.checked { [before = exactValue, after = next.exactValue] () throws(MoneyError) in
            try Self.money(after, currency) - Self.money(before, currency)
        }
        self = next
        return change
    }

    private mutating func count(
        _ execution: Execution, fee: Money, sign: Int128, in change: inout Change
    ) throws(BookingError) {
        let value = Int128(execution.price.unscaled) * Int128(execution.quantity.unscaled)
        let (sum, overflow) = exactValue.addingReportingOverflow(sign * value)
        guard !overflow else { throw .outOfRange }
        exactValue = sum
        do {
            cumQuantity = try sign > 0 ? cumQuantity + execution.quantity : cumQuantity - execution.quantity
            fees = try sign > 0 ? fees + fee : fees - fee
            change.fee = try sign > 0 ? change.fee + fee : change.fee - fee
        } catch { throw .outOfRange }
        if sign > 0 { change.booked.append(execution) } else { change.reversed.append(execution) }
    }

    private func validate(_ execution: Execution) throws(BookingError) {
        guard execution.quantity.isPositive, execution.price.isPositive else { throw .notPositive(execution.id) }
        guard execution.fee.currency == currency else { throw .wrongCurrency(execution.fee.currency) }
    }

    private func refused(_ refusal: Refusal) -> Change {
        Change(value: .zero(currency), fee: .zero(currency), refusal: refusal)
    }

    private static func checked<Value>(_ body: () throws(MoneyError) -> Value) throws(BookingError) -> Value {
        do { return try body() } catch { throw .outOfRange }
    }

    private static func money(_ exact: Int128, _ currency: Currency) throws(MoneyError) -> Money {
        let places = Price.scale + Quantity.scale - currency.scale
        return try Money(exactly: rounding.quotient(exact, by: DecimalText.powerOfTen128(places)), currency)
    }
}
