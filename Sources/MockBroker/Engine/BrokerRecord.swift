package import Domain

/// A fact. The journal is the list of them, and the book is what they add up to: nothing else changes it.
package enum BrokerRecord: Hashable, Sendable {
    /// The broker behaves like this from now on.
    case behaviorSet(Behavior, SettingOrigin, at: UnixTime)
    /// The rule holds from now on, instead of an earlier one of its id.
    case rulePut(Rule, SettingOrigin, at: UnixTime)
    case ruleRemoved(String, at: UnixTime)
    case rulesCleared(at: UnixTime)
    /// Rules decide as this log says from now on.
    case scripted([RuleDecision], at: UnixTime)
    /// The time runs like this from now on; `at` is what it was before.
    case clockSet(NamespaceClock, at: UnixTime)
    /// The symbol trades at this price from now on.
    case priceSet(InstrumentID, Price, at: UnixTime)
    /// A client asked for something.
    case requested(RequestFact, [RuleDecision], at: UnixTime)
    /// What follows in the same batch is the doing of a request, for this order.
    case committed(request: Int, BrokerOrderID, at: UnixTime)
    /// A client's request ended.
    case replied(ReplyFact, at: UnixTime)
    /// Rules were asked about the next offer of a report to a stream.
    case asked(sequence: Int, [RuleDecision], at: UnixTime)
    /// A report was offered to a stream.
    case offered(OfferFact, at: UnixTime)
    /// A test told the broker something.
    case controlled(method: String, body: [UInt8], at: UnixTime)
    /// An order was accepted.
    case accepted(Acceptance)
    /// The price touched an order that was resting.
    case planned(BrokerOrderID, FillPlan, at: UnixTime)
    /// A cancel was taken on, to be carried out at `due`.
    case cancelRequested(BrokerOrderID, request: ClientOrderID, due: UnixTime, at: UnixTime)
    case canceled(BrokerOrderID, CancelCause, at: UnixTime)
    /// Shares changed hands.
    case filled(Fill)
    /// The order's session is over.
    case expired(BrokerOrderID, at: UnixTime)
    /// The symbol's price moves like this from now on.
    case pathSet(InstrumentID, PricePath, at: UnixTime)
    /// A NEW report of an order that was accepted without one, or another one.
    case acknowledged(BrokerOrderID, at: UnixTime)
    /// The broker did with the order what was in store for it.
    case turned(BrokerOrderID, OrderTurn.Kind, at: UnixTime)
    /// A replacement was taken on.
    case replaceRequested(BrokerOrderID, Replacement, at: UnixTime)
    /// It was carried out; the plan is nil for an order that rests.
    case replaced(BrokerOrderID, FillPlan?, at: UnixTime)
    /// The commission of an execution that came without it. The date is the one on which accounts book it, as for busts
    /// and corrections: what was stated of earlier dates stays true.
    case charged(BrokerExecutionID, Money, on: CivilDate, at: UnixTime)
    /// An execution is void.
    case busted(BrokerExecutionID, text: String, on: CivilDate, at: UnixTime)
    /// An execution stands for another quantity or price.
    case corrected(BrokerExecutionID, ExecutionCorrection, on: CivilDate, at: UnixTime)

    package struct Acceptance: Hashable, Sendable {
        package let id: BrokerOrderID
        package let content: OrderContent
        package let ordinal: Int
        /// How it fills once it can.
        package let template: FillTemplate
        /// Nil for an order that rests, or fills by hand only.
        package let plan: FillPlan?
        /// When a day order ends.
        package let expires: UnixTime?
        /// What came with the request as its trace; empty without one.
        package let traceparent: String
        /// How often a NEW report tells of it. What does not come with the acceptance has records of its own.
        package let acknowledgement: Acknowledgement
        /// What the broker will do with it.
        package let turns: [OrderTurn]
        package let at: UnixTime

        package init(
            id: BrokerOrderID, content: OrderContent, ordinal: Int, template: FillTemplate, plan: FillPlan?,
            expires: UnixTime?, traceparent: String, acknowledgement: Acknowledgement = .once, turns: [OrderTurn] = [],
            at: UnixTime
        ) {
            self.id = id
            self.content = content
            self.ordinal = ordinal
            self.template = template
            self.plan = plan
            self.expires = expires
            self.traceparent = traceparent
            self.acknowledgement = acknowledgement
            self.turns = turns
            self.at = at
        }
    }

    package struct Fill: Hashable, Sendable {
        package let order: BrokerOrderID
        package let quantity: Quantity
        package let price: Price
        /// In US dollars; nil when it comes later.
        package let commission: Money?
        /// The New York date that the trade belongs to.
        package let tradeDate: CivilDate
        /// Whether the order's plan brought it about, and not a hand.
        package let isPlanned: Bool
        package let at: UnixTime

        package init(
            order: BrokerOrderID, quantity: Quantity, price: Price, commission: Money?, tradeDate: CivilDate,
            isPlanned: Bool, at: UnixTime
        ) {
            self.order = order
            self.quantity = quantity
            self.price = price
            self.commission = commission
            self.tradeDate = tradeDate
            self.isPlanned = isPlanned
            self.at = at
        }
    }
}

/// Who set a behaviour or a rule.
package enum SettingOrigin: UInt8, Hashable, Sendable, CaseIterable {
    /// The configuration at the start of the process.
    case configuration = 1
    /// The control service, at run time.
    case control = 2
}

/// Why an order ended before it was filled.
package enum CancelCause: UInt8, Hashable, Sendable, CaseIterable {
    /// The client asked.
    case request = 1
    /// An immediate-or-cancel or fill-or-kill order that could not fill at once.
    case notMarketable
    /// What an immediate-or-cancel order's fills have left.
    case remainder
}
