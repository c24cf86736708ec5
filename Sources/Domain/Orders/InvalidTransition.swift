/// A command that is not legal in the order's state, or a report that cannot be booked. The order is unchanged.
public struct InvalidTransition: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Problem: Hashable, Sendable {
        case notInThisState
        /// Attempts go up by one; this one is not the next.
        case attemptOutOfTurn(expected: Int)
        /// The policy does not allow this attempt (any more).
        case notAllowedNow
        case booking(BookingError)
    }

    public let order: OrderID
    public let status: OrderStatus
    /// The event's recorded name.
    public let event: String
    public let problem: Problem

    public init(order: OrderID, status: OrderStatus, event: String, problem: Problem) {
        self.order = order
        self.status = status
        self.event = event
        self.problem = problem
    }

    public var description: String { "order \(order) is \(status.rawValue): \(event) refused, \(problem)" }
}
