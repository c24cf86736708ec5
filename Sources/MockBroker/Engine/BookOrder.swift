package import Domain

/// An order in the broker's books.
package struct BookOrder: Hashable, Sendable {
    package let id: BrokerOrderID
    package let content: OrderContent
    /// Counts the orders under one client order id from 1; above 1 only where the broker does not check ids.
    package let ordinal: Int
    package let acceptedAt: UnixTime
    /// What came with the request as its trace; told again in each report, and never looked at. Empty without one.
    package let traceparent: String
    package private(set) var life = OrderLife.working
    package private(set) var filled = Quantity.zero
    /// How it fills once it can.
    package let template: FillTemplate
    /// What will fill by itself.
    package internal(set) var plan: FillPlan?
    /// Parts of the plan that are done.
    package internal(set) var partsDone = 0
    /// Reports on the feed so far.
    package internal(set) var reports = 0

    package init(
        id: BrokerOrderID, content: OrderContent, ordinal: Int, acceptedAt: UnixTime, traceparent: String = "",
        template: FillTemplate = .usual, plan: FillPlan? = nil
    ) {
        self.id = id
        self.content = content
        self.ordinal = ordinal
        self.acceptedAt = acceptedAt
        self.traceparent = traceparent
        self.template = template
        self.plan = plan
    }

    /// LeavesQty (151): zero once the order is closed.
    package var leaves: Quantity {
        isOpen ? Quantity(unscaled: content.quantity.unscaled - filled.unscaled) : .zero
    }

    package var isOpen: Bool {
        switch life {
        case .working, .cancelPending: true
        case .filled, .canceled, .expired: false
        }
    }

    /// OrdStatus (39). A pending cancel outranks a partial fill, as FIX ranks them.
    package var status: BookOrderStatus {
        switch life {
        case .working: filled.isZero ? .new : .partiallyFilled
        case .cancelPending: .pendingCancel
        case .filled: .filled
        case .canceled: .canceled
        case .expired: .expired
        }
    }

    /// The one place where an order changes state.
    package mutating func apply(_ step: OrderStep) throws(InvalidStep) {
        switch (life, step) {
        case (.working, .fill(let quantity)), (.cancelPending, .fill(let quantity)):
            // A fill may overtake a cancel that is on its way: the fill counts, and the last one wins the race.
            let rest = leaves
            guard quantity.isPositive, quantity <= rest else { throw InvalidStep(life: life, step: step) }
            filled = Quantity(unscaled: filled.unscaled + quantity.unscaled)
            if quantity == rest { life = .filled }
        case (.working, .requestCancel): life = .cancelPending
        case (.working, .cancel), (.cancelPending, .cancel): life = .canceled
        case (.working, .expire), (.cancelPending, .expire): life = .expired
        case (.cancelPending, .requestCancel), (.filled, _), (.canceled, _), (.expired, _):
            throw InvalidStep(life: life, step: step)
        }
    }
}

/// Where an order stands.
package enum OrderLife: Hashable, Sendable {
    case working
    /// A cancel was taken on and is not carried out yet.
    case cancelPending
    case filled
    case canceled
    case expired
}

/// What can happen to an order.
package enum OrderStep: Hashable, Sendable {
    case fill(Quantity)
    case requestCancel
    case cancel
    case expire
}

/// OrdStatus (39), as far as this broker uses it.
package enum BookOrderStatus: UInt8, Hashable, Sendable, CaseIterable {
    case new = 1
    case partiallyFilled, filled, pendingCancel, canceled, expired
}

/// A step that the order's life does not allow: our mistake, or a journal that was tampered with.
package struct InvalidStep: Error, Hashable, Sendable {
    package let life: OrderLife
    package let step: OrderStep
}
