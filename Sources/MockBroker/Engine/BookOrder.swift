package import Domain

/// An order in the broker's books.
package struct BookOrder: Hashable, Sendable {
    /// OrderID (37) as it was accepted: names the order in the books for ever.
    package let id: BrokerOrderID
    /// What the client asked for at first. `content` is what holds now.
    package let placed: OrderContent
    /// Counts the orders under one client order id from 1; above 1 only where the broker does not check ids.
    package let ordinal: Int
    package let acceptedAt: UnixTime
    /// What came with the request as its trace; told again in each report, and never looked at. Empty without one.
    package let traceparent: String
    package private(set) var life = OrderLife.working
    /// Under which names, and with which terms, it stands now.
    package private(set) var content: OrderContent
    /// OrderID (37) as reports say it now: a replacement may give another one.
    package private(set) var shownID: BrokerOrderID
    /// OrigClOrdID (41): before the last replacement.
    package private(set) var replacedClientOrder: ClientOrderID?
    /// Of the executions that are not void.
    package private(set) var filled = Quantity.zero
    /// How it fills once it can.
    package let template: FillTemplate
    /// What will fill by itself.
    package internal(set) var plan: FillPlan?
    /// Parts of the plan that are done.
    package internal(set) var partsDone = 0
    /// When the next part of the plan is due.
    package internal(set) var nextPart: UnixTime?
    /// What the broker will do with it, as far as it is not done.
    package internal(set) var turns: [OrderTurn]
    /// Reports on the feed so far.
    package internal(set) var reports = 0

    package init(
        id: BrokerOrderID, content: OrderContent, ordinal: Int, acceptedAt: UnixTime, traceparent: String = "",
        template: FillTemplate = .usual, plan: FillPlan? = nil, turns: [OrderTurn] = []
    ) {
        self.id = id
        self.placed = content
        self.content = content
        self.shownID = id
        self.ordinal = ordinal
        self.acceptedAt = acceptedAt
        self.traceparent = traceparent
        self.template = template
        self.plan = plan
        self.turns = turns
    }

    /// LeavesQty (151): zero once the order is closed.
    package var leaves: Quantity { isOpen ? room : .zero }

    /// What executions have left of the quantity, whether the order still trades or not.
    var room: Quantity { Quantity(unscaled: max(0, content.quantity.unscaled - filled.unscaled)) }

    package var isOpen: Bool {
        switch life {
        case .working, .suspended, .cancelPending, .replacePending: true
        case .filled, .canceled, .expired, .rejected: false
        }
    }

    /// Whether its plan goes on: not while it is halted, and after a cancel only as a late print.
    var canFill: Bool {
        switch life {
        case .working, .cancelPending, .replacePending: true
        case .canceled: template.goesOnAfterCancel && room.isPositive
        case .suspended, .filled, .expired, .rejected: false
        }
    }

    /// The replacement that is on its way.
    package var pendingReplacement: Replacement? {
        switch life {
        case .replacePending(let replacement): replacement
        case .working, .suspended, .cancelPending, .filled, .canceled, .expired, .rejected: nil
        }
    }

    /// Whether it has to end because nothing more will fill at once.
    var isOverdue: Bool {
        switch content.timeInForce {
        case .immediateOrCancel, .fillOrKill: partsDone >= plan?.parts.count ?? 0
        case .day, .goodTillCancel: false
        }
    }

    /// OrdStatus (39). What is pending outranks a partial fill, as FIX ranks them.
    package var status: BookOrderStatus {
        switch life {
        case .working: filled.isZero ? .new : .partiallyFilled
        case .suspended: .suspended
        case .cancelPending: .pendingCancel
        case .replacePending: .pendingReplace
        case .filled: .filled
        case .canceled: .canceled
        case .expired: .expired
        case .rejected: .rejected
        }
    }

    /// The one place where an order changes state.
    ///
    /// A final state stays for ever, as FIX has it: a bust or a correction moves the filled quantity and not the state.
    package mutating func apply(_ step: OrderStep) throws(InvalidStep) {
        switch (life, step) {
        case (.working, .fill(let quantity)), (.cancelPending, .fill(let quantity)),
            (.replacePending, .fill(let quantity)):
            // A fill may overtake a request that is on its way: the fill counts, and the last one wins the race.
            try add(quantity, step)
            if filled >= content.quantity { life = .filled }
        case (.canceled, .fill(let quantity)) where template.goesOnAfterCancel: try add(quantity, step)
        case (.working, .requestCancel): life = .cancelPending
        case (.working, .requestReplace(let replacement)): life = .replacePending(replacement)
        case (.replacePending(let replacement), .replace): replace(by: replacement)
        case (.working, .suspend): life = .suspended
        case (.suspended, .resume): life = .working
        case (.working, .cancel), (.suspended, .cancel), (.cancelPending, .cancel), (.replacePending, .cancel):
            life = .canceled
        case (.working, .expire), (.suspended, .expire), (.cancelPending, .expire), (.replacePending, .expire):
            life = .expired
        case (.working, .reject), (.suspended, .reject), (.cancelPending, .reject), (.replacePending, .reject):
            guard filled.isZero else { throw InvalidStep(life: life, step: step) }
            life = .rejected
        case (.working, .amend(let old, let new)), (.suspended, .amend(let old, let new)),
            (.cancelPending, .amend(let old, let new)), (.replacePending, .amend(let old, let new)):
            try amend(from: old, to: new, step)
            if filled >= content.quantity { life = .filled }
        case (.filled, .amend(let old, let new)), (.canceled, .amend(let old, let new)),
            (.expired, .amend(let old, let new)):
            try amend(from: old, to: new, step)
        case (.cancelPending, .requestCancel), (.replacePending, .requestCancel), (.suspended, .requestCancel),
            (.cancelPending, .requestReplace), (.replacePending, .requestReplace), (.suspended, .requestReplace),
            (.working, .replace), (.cancelPending, .replace), (.suspended, .replace),
            (.cancelPending, .suspend), (.replacePending, .suspend), (.suspended, .suspend),
            (.working, .resume), (.cancelPending, .resume), (.replacePending, .resume), (.suspended, .fill),
            (.filled, _), (.canceled, _), (.expired, _), (.rejected, _):
            throw InvalidStep(life: life, step: step)
        }
    }

    private mutating func add(_ quantity: Quantity, _ step: OrderStep) throws(InvalidStep) {
        guard quantity.isPositive, quantity.unscaled <= room.unscaled + template.overfill.unscaled else {
            throw InvalidStep(life: life, step: step)
        }
        filled = Quantity(unscaled: filled.unscaled + quantity.unscaled)
    }

    private mutating func amend(from old: Quantity, to new: Quantity, _ step: OrderStep) throws(InvalidStep) {
        guard old.isPositive, old <= filled, !new.isNegative else { throw InvalidStep(life: life, step: step) }
        let (sum, overflow) = (filled.unscaled - old.unscaled).addingReportingOverflow(new.unscaled)
        guard !overflow else { throw InvalidStep(life: life, step: step) }
        filled = Quantity(unscaled: sum)
    }

    /// Never below what is filled: then the order is done, under its new name.
    private mutating func replace(by replacement: Replacement) {
        replacedClientOrder = content.key.clientOrder
        shownID = replacement.newID ?? shownID
        content = OrderContent(
            key: OrderKey(account: content.key.account, clientOrder: replacement.request), symbol: content.symbol,
            side: content.side, type: replacement.terms.limit.map { .limit($0) } ?? .market,
            quantity: max(replacement.terms.quantity, filled), timeInForce: content.timeInForce)
        life = filled >= content.quantity ? .filled : .working
    }
}

/// Where an order stands.
package enum OrderLife: Hashable, Sendable {
    case working
    /// Halted by the venue.
    case suspended
    /// A cancel was taken on and is not carried out yet.
    case cancelPending
    /// A replacement was taken on and is not carried out yet.
    case replacePending(Replacement)
    case filled
    case canceled
    case expired
    case rejected
}

/// What can happen to an order.
package enum OrderStep: Hashable, Sendable {
    case fill(Quantity)
    case requestCancel
    case cancel
    case requestReplace(Replacement)
    case replace
    case suspend
    case resume
    case reject
    case expire
    /// An execution that stood for so many shares stands for so many now; none when it is void.
    case amend(from: Quantity, to: Quantity)
}

/// OrdStatus (39), as far as this broker uses it.
package enum BookOrderStatus: UInt8, Hashable, Sendable, CaseIterable {
    case new = 1
    case partiallyFilled, filled, pendingCancel, canceled, expired, pendingReplace, suspended, rejected
}

/// A step that the order's life does not allow: our mistake, or a journal that was tampered with.
package struct InvalidStep: Error, Hashable, Sendable {
    package let life: OrderLife
    package let step: OrderStep
}
