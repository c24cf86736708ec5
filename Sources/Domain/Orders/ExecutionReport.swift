/// One stored report about executions. The book of an order is the sum of its reports, in any order.
public enum ExecutionReport: Hashable, Sendable {
    case trade(Execution)
    case bust(ExecutionID, by: ExecutionID)
    case correction(ExecutionID, with: Execution)
    case fee(Money, of: ExecutionID)
}

extension ExecutionBook {
    /// The book of an order whose reports a store kept. Reports of fees come after their executions.
    ///
    /// - Throws: `BookingError` for a report that cannot have been booked.
    public init(currency: Currency, reports: some Sequence<ExecutionReport>) throws(BookingError) {
        self.init(currency: currency)
        for report in reports {
            switch report {
            case .trade(let execution): _ = try book(execution)
            case .bust(let reference, let bust): _ = try self.bust(reference, by: bust)
            case .correction(let reference, let replacement): _ = try correct(reference, with: replacement)
            case .fee(let fee, let execution): _ = try setFee(fee, of: execution)
            }
        }
    }
}
