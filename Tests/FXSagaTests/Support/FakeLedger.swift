import Contracts
import Domain
import RPCCore
import Synchronization

/// A participant with the key rules of an account service, and faults on demand. It stands for a remote party.
///
/// Outcomes are stored under their keys for ever; an inquiry seals; failures are sticky.
final class FakeLedger: AccountService {
    enum Operation: String, Sendable, Hashable, CaseIterable {
        case withdraw, deposit, resolve
    }

    enum Fault: Sendable, Hashable {
        /// Refused by rule; stored.
        case refuse(String)
        /// The request is lost on its way; the caller learns nothing.
        case loseRequest
        /// The request is held up: it arrives when `deliverLate` is called. The caller learns nothing.
        case delayRequest
        /// Done, but the reply is lost.
        case loseReply
        /// This status, and nothing done.
        case status(Status.Code)
    }

    struct Entry: Hashable, Sendable {
        let key: String
        let account: String
        let amount: Int64
    }

    private struct Stored {
        let body: String?
        var operation: AccountMoneyOperation
    }

    private struct State {
        var balances: [String: Int64]
        var stored: [String: Stored] = [:]
        var entries: [Entry] = []
        var faults: [Operation: [Fault]] = [:]
        var late: [(Operation, AccountMoneyOperationRequest)] = []
        var calls: [Operation: Int] = [:]
    }

    private let state: Mutex<State>

    init(balances: [String: Int64]) { state = Mutex(State(balances: balances)) }

    // MARK: What tests ask and set

    func balance(_ account: String) -> Int64 { state.withLock { $0.balances[account] ?? 0 } }
    var total: Int64 { state.withLock { $0.balances.values.reduce(0, +) } }
    var entries: [Entry] { state.withLock(\.entries) }
    func entries(_ key: String) -> [Int64] { entries.filter { $0.key == key }.map(\.amount) }
    func outcome(_ key: String) -> AccountOperationOutcome? { state.withLock { $0.stored[key]?.operation.outcome } }
    func calls(_ operation: Operation) -> Int { state.withLock { $0.calls[operation] ?? 0 } }

    /// The next calls of this operation meet these faults, one each.
    func fail(_ operation: Operation, _ faults: Fault...) {
        state.withLock { $0.faults[operation, default: []] += faults }
    }

    /// Requests that were held up arrive now; nobody waits for their replies.
    func deliverLate() {
        let late = state.withLock { state in
            defer { state.late = [] }
            return state.late
        }
        for (operation, request) in late { _ = try? apply(operation, request) }
    }

    /// Gives a withdrawal back, as the message asks; returns what the result event says.
    func cancel(_ key: String) -> String {
        state.withLock { state in
            guard let stored = state.stored[key] else {
                state.stored[key] = Stored(
                    body: nil, operation: AccountMoneyOperation(operationKey: key, outcome: .sealed))
                return "SEALED"
            }
            switch stored.operation.outcome {
            case .applied:
                let amount = stored.operation.amount?.minor ?? 0
                state.stored[key]?.operation.outcome = .reversed
                state.balances[stored.operation.accountID, default: 0] += amount
                state.entries.append(Entry(key: key, account: stored.operation.accountID, amount: amount))
                return "REVERSED"
            case .reversed: return "REVERSED"
            case .refused: return "REFUSED"
            case .sealed: return "SEALED"
            case .unspecified, .unrecognized: return ""
            }
        }
    }

    // MARK: The calls of the saga

    func withdraw(
        _ request: AccountMoneyOperationRequest, context: ServerContext
    ) async throws -> AccountMoneyOperation { try perform(.withdraw, request) }

    func deposit(
        _ request: AccountMoneyOperationRequest, context: ServerContext
    ) async throws -> AccountMoneyOperation { try perform(.deposit, request) }

    func resolveOperation(
        _ request: AccountResolveOperationRequest, context: ServerContext
    ) async throws -> AccountMoneyOperation {
        let fault = enter(.resolve)
        switch fault {
        case .loseRequest, .delayRequest: throw Status(.unavailable, "lost", certainty: .unknown)
        case .status(let code): throw Status(code, "fault")
        case .loseReply, .refuse, nil: break
        }
        let answer = state.withLock { state in
            if var known = state.stored[request.operationKey]?.operation {
                known.replayed = true
                return known
            }
            let sealed = AccountMoneyOperation(operationKey: request.operationKey, outcome: .sealed)
            state.stored[request.operationKey] = Stored(body: nil, operation: sealed)
            return sealed
        }
        if fault == .loseReply { throw Status(.deadlineExceeded, "lost", certainty: .unknown) }
        return answer
    }

    private func enter(_ operation: Operation) -> Fault? {
        state.withLock { state in
            state.calls[operation, default: 0] += 1
            guard var faults = state.faults[operation], !faults.isEmpty else { return nil }
            let fault = faults.removeFirst()
            state.faults[operation] = faults
            return fault
        }
    }

    private func perform(
        _ operation: Operation, _ request: AccountMoneyOperationRequest
    ) throws -> AccountMoneyOperation {
        switch enter(operation) {
        case nil: return try apply(operation, request)
        case .refuse(let reason): return try apply(operation, request, refusing: reason)
        case .status(let code): throw Status(code, "fault")
        case .loseRequest: throw Status(.unavailable, "lost", certainty: .unknown)
        case .delayRequest:
            state.withLock { $0.late.append((operation, request)) }
            throw Status(.deadlineExceeded, "late", certainty: .unknown)
        case .loseReply:
            _ = try apply(operation, request)
            throw Status(.deadlineExceeded, "lost", certainty: .unknown)
        }
    }

    private func apply(
        _ operation: Operation, _ request: AccountMoneyOperationRequest, refusing refusal: String? = nil
    ) throws -> AccountMoneyOperation {
        guard let amount = request.amount else { throw Status(.invalidArgument, "amount") }
        let body = "\(operation) \(request.accountID) \(amount.currency) \(amount.minor)"
        return try state.withLock { state in
            if let known = state.stored[request.operationKey] {
                guard known.body == nil || known.body == body else { throw Status(.alreadyExists, "other body") }
                var answer = known.operation
                answer.replayed = true
                return answer
            }
            let change = operation == .withdraw ? -amount.minor : amount.minor
            var reason = refusal
            if state.balances[request.accountID] == nil { reason = reason ?? "ACCOUNT_UNKNOWN" }
            if (state.balances[request.accountID] ?? 0) + change < 0 { reason = reason ?? "INSUFFICIENT_FUNDS" }
            let operation = AccountMoneyOperation(
                operationKey: request.operationKey, outcome: reason == nil ? .applied : .refused, reason: reason ?? "",
                accountID: request.accountID, amount: amount)
            state.stored[request.operationKey] = Stored(body: body, operation: operation)
            if reason == nil {
                state.balances[request.accountID, default: 0] += change
                state.entries.append(Entry(key: request.operationKey, account: request.accountID, amount: change))
            }
            return operation
        }
    }

    // MARK: Calls that the saga does not make

    func openAccount(_ request: AccountOpenAccountRequest, context: ServerContext) async throws -> AccountBalance {
        throw Status(.unimplemented)
    }
    func getBalance(_ request: AccountGetBalanceRequest, context: ServerContext) async throws -> AccountBalance {
        throw Status(.unimplemented)
    }
    func listBalances(
        _ request: AccountListBalancesRequest, context: ServerContext
    ) async throws -> AccountListBalancesResponse { throw Status(.unimplemented) }
    func placeHold(_ request: AccountPlaceHoldRequest, context: ServerContext) async throws -> AccountHoldResponse {
        throw Status(.unimplemented)
    }
    func captureHold(_ request: AccountCaptureHoldRequest, context: ServerContext) async throws -> AccountHoldResponse {
        throw Status(.unimplemented)
    }
    func releaseHold(_ request: AccountReleaseHoldRequest, context: ServerContext) async throws -> AccountHoldResponse {
        throw Status(.unimplemented)
    }
    func getHold(_ request: AccountGetHoldRequest, context: ServerContext) async throws -> AccountHold {
        throw Status(.unimplemented)
    }
    func getOperation(
        _ request: AccountGetOperationRequest, context: ServerContext
    ) async throws -> AccountMoneyOperation { throw Status(.unimplemented) }
    func getTrialBalance(
        _ request: AccountGetTrialBalanceRequest, context: ServerContext
    ) async throws -> AccountTrialBalance { throw Status(.unimplemented) }
}
