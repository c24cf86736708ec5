import Contracts
import Domain
import Postgres
import RPCCore

extension Refusal {
    /// What a caller is told when the database has bad weather.
    init(_ error: PostgresError) {
        switch error.certainty {
        case .notApplied:
            self.init(
                .unavailable, "LEDGER_UNAVAILABLE", "the ledger cannot be reached at present",
                certainty: .definitelyNotDone, retry: .sameIDAfter)
        case .unknown, .applied:
            self.init(
                .unavailable, "LEDGER_OUTCOME_UNKNOWN", "the ledger's answer was lost", certainty: .unknown,
                retry: .sameIDAfter)
        }
    }

    static func orderNotFound() -> Refusal {
        Refusal(.notFound, "ORDER_NOT_FOUND", "the customer has no such order")
    }
}

/// Runs the body of a handler and turns bad weather of the database into a refusal that says what is certain.
func answering<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
        return try await body()
    } catch let error as PostgresError where error.mayRetry || error.certainty != .notApplied {
        throw Refusal(error)
    }
}
