package import Domain

/// Something that the broker does with an order by itself: what an `OrderFault` came to when it was drawn for it.
package struct OrderTurn: Hashable, Sendable {
    /// Each at most once for an order.
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// Refused after all. It does not come about once shares have changed hands.
        case reject = 1
        case cancel
        /// Halted. When a cancel or replace is on its way, it waits until that is done.
        case suspend
        case resume
        /// A report that changes nothing.
        case restate
    }

    package let kind: Kind
    package let due: UnixTime
    /// For people.
    package let text: String

    package init(_ kind: Kind, due: UnixTime, text: String = "") {
        self.kind = kind
        self.due = due
        self.text = text
    }
}

extension BookOrder {
    /// The turn of this kind that is still to come.
    func turn(_ kind: OrderTurn.Kind) -> OrderTurn? { turns.first { $0.kind == kind } }

    /// Whether it can come about now.
    func allows(_ kind: OrderTurn.Kind) -> Bool {
        switch kind {
        case .reject: isOpen && filled.isZero
        case .cancel: isOpen
        case .suspend: life == .working
        case .resume: life == .suspended
        case .restate: true
        }
    }
}

/// How often a NEW report tells of an order.
package enum Acknowledgement: UInt8, Hashable, Sendable, CaseIterable {
    case once = 0
    case never
    case twice
    /// Once, after the fills that come with the acceptance.
    case afterFills
}

/// What faults in an order's life came to for one order.
struct OrderFate: Hashable, Sendable {
    var acknowledgement = Acknowledgement.once
    var turns: [OrderTurn] = []
    /// It does not fill by itself, so that it can still be rejected.
    var isDoomed: Bool { turns.contains { $0.kind == .reject } }

    init(_ faults: [(fault: OrderFault, values: [Int64])], from start: UnixTime) {
        for (fault, values) in faults {
            let after = Duration.microseconds(max(0, values.first ?? 0))
            switch fault {
            case .neverAcknowledge: acknowledgement = .never
            case .acknowledgeTwice: acknowledgement = .twice
            case .rejectLater(_, let text): add(OrderTurn(.reject, due: start + after, text: text))
            case .unsolicitedCancel(_, let text): add(OrderTurn(.cancel, due: start + after, text: text))
            case .restate(_, let text): add(OrderTurn(.restate, due: start + after, text: text))
            case .suspend(_, let length):
                guard !turns.contains(where: { $0.kind == .suspend }) else { break }
                add(OrderTurn(.suspend, due: start + after))
                guard length != nil, values.count > 1 else { break }
                add(OrderTurn(.resume, due: start + after + .microseconds(max(0, values[1]))))
            case .refuse, .slow, .newOrderID: break
            }
        }
    }

    /// The first of a kind settles it.
    private mutating func add(_ turn: OrderTurn) {
        if !turns.contains(where: { $0.kind == turn.kind }) { turns.append(turn) }
    }
}
