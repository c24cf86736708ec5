package import Domain

extension BrokerBook {
    /// What to record about the earliest thing that is due by `now`; nil when there is none.
    ///
    /// Apply the record before asking again. The time of the record is when it fell due, so that a broker which slept
    /// (or was killed) tells the same story as one which did not, unless `now` was set back.
    package mutating func recordDue(by now: UnixTime, _ rules: BookRules) -> BrokerRecord? {
        var looks = 0
        while let item = nextDue(), item.at <= now, item.isLook {
            guard looks < Self.looksAtOnce else { return nil }
            looks += 1
            look(item, rules)
        }
        guard let item = nextDue(), item.at <= now else { return nil }
        let order = orders[item.order]
        switch item.kind {
        case .look: preconditionFailure("a look makes no record")
        case .touch:
            guard let price = price(of: order.content.symbol, at: item.at),
                let plan = plan(order.template, order.leaves, price: price, from: item.at, rules)
            else { preconditionFailure("an order without a price or a plan was touched") }
            return .planned(order.id, plan, at: item.at)
        case .cancel: return .canceled(order.id, .request, at: item.at)
        case .remainder: return .canceled(order.id, .remainder, at: item.at)
        case .expire: return .expired(order.id, at: item.at)
        case .turn(let turn): return .turned(order.id, turn, at: item.at)
        case .replace:
            guard let replacement = order.pendingReplacement else {
                preconditionFailure("no replacement is on its way")
            }
            return .replaced(order.id, plan(of: order, after: replacement, at: item.at, rules), at: item.at)
        case .fill(let number):
            guard let plan = order.plan else { preconditionFailure("a fill is due without a plan") }
            let part = plan.parts[number]
            // What a halt has held up does not happen outside the market's hours either.
            if item.at > part.due, !rules.session(behavior.sessionMode, from: item.at).contains(item.at) {
                return .planned(order.id, within(plan.parts[number...], notBefore: item.at, rules), at: item.at)
            }
            // A hand may have filled some of it meanwhile.
            return .filled(
                fill(order.id, part, order.template.quantity(of: part, room: order.room), at: item.at, rules))
        case .charge(let number):
            let execution = executions[number]
            return .charged(
                id(of: execution), behavior.commission(execution.quantity, at: execution.price),
                on: rules.calendar.tradeDate(at: item.at), at: item.at)
        case .bust(let number):
            return .busted(
                id(of: executions[number]), text: "", on: rules.calendar.tradeDate(at: item.at), at: item.at)
        case .correct(let number):
            let execution = executions[number]
            let change = order.template.correction
            // A share is left at least: less would be a bust.
            let quantity = Quantity(
                unscaled: max(
                    Quantity.nanosPerShare, execution.quantity.unscaled + change.quantityOffset.unscaled))
            return .corrected(
                id(of: execution),
                correction(
                    of: execution, quantity, execution.price.moved(by: change.priceOffset), isPlanned: true, text: ""),
                on: rules.calendar.tradeDate(at: item.at), at: item.at)
        }
    }

    func correction(
        of execution: BookExecution, _ quantity: Quantity, _ price: Price, isPlanned: Bool, text: String
    ) -> ExecutionCorrection {
        ExecutionCorrection(
            quantity: quantity, price: price,
            commission: execution.commission == nil ? nil : behavior.commission(quantity, at: price),
            isPlanned: isPlanned, text: text)
    }

    /// Decides a fill by hand of the order under `clientOrder`. Changes nothing.
    ///
    /// - Parameters:
    ///   - account: nil takes the latest order under the id in any account.
    ///   - quantity: nil fills all that is left.
    ///   - price: nil takes the current price.
    package func fillByHand(
        _ clientOrder: ClientOrderID, account: AccountID?, quantity: Quantity?, price: Price?, at now: UnixTime,
        _ rules: BookRules
    ) throws(BrokerRefusal) -> BrokerRecord {
        let found =
            if let account {
                order(OrderKey(account: account, clientOrder: clientOrder))
            } else {
                order(clientOrder)
            }
        guard let order = found else { throw .unknownOrder }
        try order.refuseIfClosed()
        guard order.life != .suspended else { throw .suspended(order.shownID) }
        let quantity = quantity ?? order.leaves
        guard quantity.isPositive else {
            throw .invalidField(path: "qty", reason: "QTY_NOT_POSITIVE", problem: "must be above zero")
        }
        guard quantity <= order.leaves else { throw .fillTooLarge(leaves: order.leaves) }
        guard let price = price ?? self.price(of: order.content.symbol, at: now) else {
            throw .unknownSymbol(order.content.symbol)
        }
        try validateTrade(price)
        return .filled(
            BrokerRecord.Fill(
                order: order.id, quantity: quantity, price: price,
                commission: behavior.commission(quantity, at: price), tradeDate: rules.calendar.tradeDate(at: now),
                isPlanned: false, at: now))
    }

    func validateTrade(_ price: Price) throws(BrokerRefusal) {
        guard price.isPositive else {
            throw .invalidField(path: "price", reason: "PRICE_NOT_POSITIVE", problem: "must be above zero")
        }
        guard price.unscaled <= BookRules.maximumPriceDollars * 10_000 else { throw .priceOutOfRange }
    }

    /// A fill of a plan's part.
    func fill(
        _ order: BrokerOrderID, _ part: FillPlan.Part, _ quantity: Quantity, at time: UnixTime, _ rules: BookRules
    ) -> BrokerRecord.Fill {
        BrokerRecord.Fill(
            order: order, quantity: quantity, price: part.price,
            commission: part.aftermath.commission == nil ? behavior.commission(quantity, at: part.price) : nil,
            tradeDate: rules.calendar.tradeDate(at: time), isPlanned: true, at: time)
    }
}
