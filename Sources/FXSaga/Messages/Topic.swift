/// The topics of this service on the bus.
enum Topic: String {
    /// To the account services: give a withdrawal back.
    case withdrawalCancels = "withdrawal-cancels"
    /// From the account services: it was given back.
    case withdrawalCancelled = "withdrawal-cancelled"
}
