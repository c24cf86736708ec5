import Domain

/// A piece of work toward a broker or an account that is still to be done.
struct WorkItem: Hashable, Sendable {
    /// Brokers and accounts have pools of their own: one that hangs cannot stop the other.
    enum Lane: String, Sendable, CaseIterable {
        case broker = "BROKER"
        case account = "ACCOUNT"
    }

    enum Kind: String, Sendable, CaseIterable {
        /// Send attempt `attempt` of the order.
        case submit = "SUBMIT"
        /// Ask the broker by our id.
        case probe = "PROBE"
        /// Send attempt `attempt` of the cancel.
        case cancel = "CANCEL"
        /// Executions that the broker counts should have arrived by now.
        case overdue = "OVERDUE"
        /// Go on with an order that was taken in and has no hold yet.
        case receive = "RECEIVE"
        /// Take `amount` of the hold for an execution.
        case capture = "CAPTURE"
        /// Pay `amount` to the account.
        case credit = "CREDIT"
        /// Take `amount` from the account.
        case debit = "DEBIT"
        /// Give back what is left of the hold.
        case release = "RELEASE"

        var lane: Lane {
            switch self {
            case .submit, .probe, .cancel, .overdue: .broker
            case .receive, .capture, .credit, .debit, .release: .account
            }
        }

        /// Within the account lane, work of one order with a lower rank is done first: captures before the release.
        var rank: Int64 {
            switch self {
            case .submit, .probe, .cancel, .overdue, .receive: 0
            case .capture, .credit, .debit: 1
            case .release: 2
            }
        }
    }

    /// Unique; for money it is the operation key, which makes the work repeatable.
    var key: String
    var kind: Kind
    var order: OrderID
    var attempt: Int = 0
    var amount: Money?
    var execution: ExecutionID?
    var dueAt: UnixTime
    var traceparent: String
    /// The process that does it already, though not under a claim, and has until `dueAt`.
    var holder: String?
}

extension WorkItem {
    /// An order has at most one planned step toward its broker: an attempt or a look-up.
    static func brokerKey(_ order: OrderID) -> String { "\(order)/broker" }
    static func cancelKey(_ order: OrderID) -> String { "\(order)/cancel" }
    static func overdueKey(_ order: OrderID) -> String { "\(order)/overdue" }
    static func receiveKey(_ order: OrderID) -> String { "\(order)/receive" }
}

/// A work item that a worker has taken, with the number under which it holds it.
struct ClaimedWork: Hashable, Sendable {
    let item: WorkItem
    /// Failures in a row so far.
    let failures: Int
    /// The item belongs to this worker as long as the row carries this number.
    let claim: Int64
}
