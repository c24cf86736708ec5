/// Why a report cannot be booked. The report is kept and a person looks at it.
public enum BookingError: Error, Hashable, Sendable {
    case notPositive(ExecutionID)
    case wrongCurrency(Currency)
    case unknownExecution(ExecutionID)
    case selfReference(ExecutionID)
    case outOfRange
}
