/// Judges an order by rule, before anything is held. Pure: same order and same world, same verdict.
public struct OrderValidator: Hashable, Sendable {
    public var limits: OrderLimits

    public init(limits: OrderLimits) { self.limits = limits }

    /// Returns when the order may go on.
    ///
    /// - Throws: the first `Denial` in a fixed order: switches, instrument, kind, session, quantity, price, worth.
    public func validate(_ terms: OrderTerms, in context: ValidationContext) throws(Denial) {
        try checkSwitches(terms, context)
        let instrument = try knownInstrument(terms, context)
        try checkKind(terms, context)
        try checkSession(terms, context)
        try checkQuantity(terms, instrument)
        switch terms.type {
        case .limit(let price): try checkLimit(price, terms, instrument, context)
        case .market: try checkMarket(terms, instrument, context)
        }
    }

    private func checkSwitches(_ terms: OrderTerms, _ context: ValidationContext) throws(Denial) {
        let engaged = context.engagedSwitches.filter { $0.stops(terms, broker: context.broker.broker) }
        guard let level = engaged.map(\.level).min() else { return }
        throw Denial(.killSwitchEngaged, "new orders are stopped at present", ["level": level])
    }

    private func knownInstrument(_ terms: OrderTerms, _ context: ValidationContext) throws(Denial) -> Instrument {
        guard let instrument = context.instrument, instrument.id == terms.instrument else {
            throw Denial(.unknownSymbol, "no such symbol", ["symbol": terms.instrument.text])
        }
        guard instrument.isTradable else {
            throw Denial(.instrumentNotTradable, "the symbol is not offered", ["symbol": instrument.id.text])
        }
        guard !instrument.isHalted else {
            throw Denial(.instrumentHalted, "trading in the symbol is halted", ["symbol": instrument.id.text])
        }
        guard instrument.currency == terms.currency else {
            throw Denial(
                .currencyMismatch, "the symbol trades in another currency",
                ["symbol": instrument.id.text, "currency": instrument.currency.code])
        }
        return instrument
    }

    private func checkKind(_ terms: OrderTerms, _ context: ValidationContext) throws(Denial) {
        guard !context.broker.orderKinds.contains(OrderKind(terms.type.name, terms.timeInForce)) else { return }
        throw Denial(
            .orderKindNotSupported, "the broker does not take this type with this time in force",
            ["type": terms.type.name.rawValue, "time_in_force": terms.timeInForce.rawValue])
    }

    private func checkSession(_ terms: OrderTerms, _ context: ValidationContext) throws(Denial) {
        guard !limits.ignoresSessions else { return }
        guard limits.sessions.contains(context.session), context.session != .closed else {
            throw Denial(.marketClosed, "orders are not taken at this hour", ["session": context.session.rawValue])
        }
        guard context.session == .core || terms.type.name == .limit else {
            throw Denial(
                .limitOrdersOnly, "only limit orders are taken outside regular hours",
                ["session": context.session.rawValue])
        }
    }

    private func checkQuantity(_ terms: OrderTerms, _ instrument: Instrument) throws(Denial) {
        let quantity = terms.quantity
        guard quantity.isPositive else {
            throw Denial(.quantityNotPositive, "the quantity has to be above zero", ["quantity": "\(quantity)"])
        }
        guard quantity <= limits.maximumQuantity else {
            throw Denial(
                .quantityTooLarge, "the quantity is above the limit of one order",
                ["quantity": "\(quantity)", "maximum": "\(limits.maximumQuantity)"])
        }
        guard quantity.unscaled % instrument.lot.unscaled == 0 else {
            throw Denial(
                .quantityOffLot, "the quantity is no multiple of the lot",
                ["quantity": "\(quantity)", "lot": "\(instrument.lot)"])
        }
    }

    private func checkLimit(
        _ price: Price, _ terms: OrderTerms, _ instrument: Instrument, _ context: ValidationContext
    ) throws(Denial) {
        guard price.isPositive else {
            throw Denial(.limitPriceNotPositive, "the limit price has to be above zero", ["price": "\(price)"])
        }
        let tick = instrument.ticks.tick(at: price)
        guard price.unscaled % tick.unscaled == 0 else {
            throw Denial(
                .limitPriceOffTick, "the limit price is no multiple of the tick",
                ["price": "\(price)", "tick": "\(tick)"])
        }
        if let last = context.lastPrice { try checkCollar(price, last, terms.side) }
        try checkNotional(price, terms)
    }

    private func checkMarket(
        _ terms: OrderTerms, _ instrument: Instrument, _ context: ValidationContext
    ) throws(Denial) {
        guard let last = context.lastPrice, last.isPositive else {
            throw Denial(
                .noReferencePrice, "a market order needs a last price", ["symbol": instrument.id.text])
        }
        switch terms.side {
        case .buy: try checkNotional(PriceCollar.highest(from: last, limits.collar) ?? last, terms)
        case .sell: try checkNotional(last, terms)
        }
    }

    private func checkCollar(_ price: Price, _ last: Price, _ side: Side) throws(Denial) {
        let isOutside: Bool
        switch side {
        case .buy: isOutside = PriceCollar.highest(from: last, limits.collar).map { price > $0 } ?? false
        case .sell: isOutside = PriceCollar.lowest(from: last, limits.collar).map { price < $0 } ?? false
        }
        guard isOutside else { return }
        throw Denial(
            .limitPriceOutsideCollar, "the limit price is too far from the last price",
            ["price": "\(price)", "last": "\(last)", "collar": "\(limits.collar)"])
    }

    private func checkNotional(_ price: Price, _ terms: OrderTerms) throws(Denial) {
        let exceeded: Bool
        do {
            let notional = try Money(price, times: terms.quantity, in: terms.currency, rounding: .ceiling)
            exceeded = try notional > limits.maximumNotional
        } catch MoneyError.currencyMismatch {
            throw Denial(.currencyMismatch, "no limit is set for this currency", ["currency": terms.currency.code])
        } catch {
            exceeded = true  // Too large for 64 bits is too large for any limit.
        }
        guard exceeded else { return }
        throw Denial(
            .notionalExceedsLimit, "the order is worth more than one order may be",
            ["maximum": limits.maximumNotional.description])
    }
}
