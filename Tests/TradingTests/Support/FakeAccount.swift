import Contracts
import Domain
import Limits
import RPCCore
import Synchronization

/// A dollar ledger in memory, with the account service's rules of keys, and failures on demand.
final class FakeAccount: AccountService {
    /// What happens to one call that moves or holds money.
    enum Act: Sendable {
        case work
        /// Done, but the answer is lost.
        case loseReply
        /// It never arrives.
        case loseRequest
        case refuse(String)
        /// Nothing comes back before the caller's deadline.
        case useUpTheTime
    }

    struct Account: Sendable {
        var customer: String
        var balance: Int64
        var held: Int64 = 0
    }

    struct Hold: Sendable {
        var account: String
        var amount: Int64
        var captured: Int64 = 0
        var released: Int64 = 0
        var excess: Int64 = 0
        var isOpen = true
        var remaining: Int64 { amount - captured - released }
    }

    struct Truth: Sendable {
        var accounts: [String: Account] = [:]
        var holds: [String: Hold] = [:]
        /// Every key that took effect, with its body.
        var keys: [String: String] = [:]
        var sealed: Set<String> = []
        /// How often each key was asked for.
        var requests: [String: Int] = [:]
        var acts: [Act] = []
    }

    private let state = Mutex(Truth())

    var truth: Truth { state.withLock { $0 } }
    func open(_ id: String, customer: String, balance: Int64) {
        state.withLock { $0.accounts[id] = Account(customer: customer, balance: balance) }
    }
    func plan(_ acts: Act...) { state.withLock { $0.acts += acts } }
    /// From here on everything works.
    func calm() { state.withLock { $0.acts = [] } }
    func add(_ amount: Int64, to id: String) { state.withLock { $0.accounts[id]?.balance += amount } }

    /// Runs one keyed operation under the plan.
    private func perform<Response>(
        _ key: String, _ body: String, _ operation: (inout Truth, Bool) throws -> Response
    ) throws -> Response {
        try state.withLock { truth in
            truth.requests[key, default: 0] += 1
            let act = truth.acts.isEmpty ? Act.work : truth.acts.removeFirst()
            switch act {
            case .loseRequest, .useUpTheTime: throw Status(.deadlineExceeded, "lost")
            case .refuse(let reason): throw Refusal(.failedPrecondition, reason, "refused")
            case .work, .loseReply: break
            }
            guard !truth.sealed.contains(key) else { throw Refusal(.failedPrecondition, "SEALED", "sealed") }
            let known = truth.keys[key]
            guard known == nil || known == body else { throw Refusal(.alreadyExists, "KEY_REUSED", "other content") }
            let response = try operation(&truth, known != nil)
            truth.keys[key] = body
            if case .loseReply = act { throw Status(.deadlineExceeded, "lost") }
            return response
        }
    }

    func placeHold(_ request: AccountPlaceHoldRequest, context: ServerContext) async throws -> AccountHoldResponse {
        let amount = request.amount?.minor ?? 0
        if case .useUpTheTime? = truth.acts.first, let deadline = Deadline.current {
            try await Task.sleep(until: deadline.instant)
        }
        return try perform(request.holdID, "hold \(request.accountID) \(amount)") { truth, isReplay in
            guard var account = truth.accounts[request.accountID] else {
                throw Refusal(.notFound, "ACCOUNT_NOT_FOUND", "no such account")
            }
            if !isReplay {
                guard account.balance - account.held >= amount else {
                    throw Refusal(.failedPrecondition, "INSUFFICIENT_FUNDS", "not enough money")
                }
                account.held += amount
                truth.accounts[request.accountID] = account
                truth.holds[request.holdID] = Hold(account: request.accountID, amount: amount)
            }
            return Self.response(request.holdID, truth, isReplay)
        }
    }

    func captureHold(
        _ request: AccountCaptureHoldRequest, context: ServerContext
    ) async throws -> AccountHoldResponse {
        let amount = request.amount?.minor ?? 0
        return try perform(request.operationKey, "capture \(request.holdID) \(amount)") { truth, isReplay in
            guard var hold = truth.holds[request.holdID] else {
                throw Refusal(.notFound, "HOLD_NOT_FOUND", "no such hold")
            }
            if !isReplay {
                let fromHold = min(amount, hold.remaining)
                hold.captured += fromHold
                hold.excess += amount - fromHold
                truth.holds[request.holdID] = hold
                truth.accounts[hold.account]?.balance -= amount
                truth.accounts[hold.account]?.held -= fromHold
            }
            return Self.response(request.holdID, truth, isReplay)
        }
    }

    func releaseHold(
        _ request: AccountReleaseHoldRequest, context: ServerContext
    ) async throws -> AccountHoldResponse {
        try perform(request.operationKey, "release \(request.holdID)") { truth, isReplay in
            guard var hold = truth.holds[request.holdID] else {
                throw Refusal(.notFound, "HOLD_NOT_FOUND", "no such hold")
            }
            if !isReplay {
                truth.accounts[hold.account]?.held -= hold.remaining
                hold.released += hold.remaining
                hold.isOpen = false
                truth.holds[request.holdID] = hold
            }
            return Self.response(request.holdID, truth, isReplay)
        }
    }

    func deposit(
        _ request: AccountMoneyOperationRequest, context: ServerContext
    ) async throws -> AccountMoneyOperation { try move(request, sign: 1) }

    func withdraw(
        _ request: AccountMoneyOperationRequest, context: ServerContext
    ) async throws -> AccountMoneyOperation { try move(request, sign: -1) }

    private func move(_ request: AccountMoneyOperationRequest, sign: Int64) throws -> AccountMoneyOperation {
        let amount = request.amount?.minor ?? 0
        return try perform(request.operationKey, "move \(sign) \(request.accountID) \(amount)") { truth, isReplay in
            if !isReplay { truth.accounts[request.accountID]?.balance += sign * amount }
            return AccountMoneyOperation(
                operationKey: request.operationKey, outcome: .applied, accountID: request.accountID,
                amount: request.amount, replayed: isReplay)
        }
    }

    func resolveOperation(
        _ request: AccountResolveOperationRequest, context: ServerContext
    ) async throws -> AccountMoneyOperation {
        state.withLock { truth in
            guard truth.keys[request.operationKey] == nil else {
                return AccountMoneyOperation(operationKey: request.operationKey, outcome: .applied)
            }
            truth.sealed.insert(request.operationKey)
            return AccountMoneyOperation(operationKey: request.operationKey, outcome: .sealed)
        }
    }

    func getBalance(_ request: AccountGetBalanceRequest, context: ServerContext) async throws -> AccountBalance {
        try state.withLock { truth in
            guard truth.accounts[request.accountID] != nil else {
                throw Refusal(.notFound, "ACCOUNT_NOT_FOUND", "no such account")
            }
            return Self.balance(request.accountID, truth)
        }
    }

    private static func response(_ id: String, _ truth: Truth, _ isReplay: Bool) -> AccountHoldResponse {
        guard let hold = truth.holds[id] else { return AccountHoldResponse() }
        return AccountHoldResponse(
            hold: AccountHold(
                holdID: id, accountID: hold.account, orderID: id, amount: usd(hold.amount),
                captured: usd(hold.captured), released: usd(hold.released), remaining: usd(hold.remaining),
                state: hold.isOpen ? .open : .closed),
            balance: balance(hold.account, truth), replayed: isReplay)
    }

    private static func balance(_ id: String, _ truth: Truth) -> AccountBalance {
        let account = truth.accounts[id] ?? Account(customer: "", balance: 0)
        return AccountBalance(
            accountID: id, customerID: account.customer, balance: usd(account.balance), held: usd(account.held),
            available: usd(account.balance - account.held))
    }

    private static func usd(_ minorUnits: Int64) -> WireMoney { WireMoney(currency: "USD", minor: minorUnits) }

    // Not called by the trading service.

    func openAccount(_ request: AccountOpenAccountRequest, context: ServerContext) async throws -> AccountBalance {
        throw Status(.unimplemented)
    }
    func listBalances(
        _ request: AccountListBalancesRequest, context: ServerContext
    ) async throws -> AccountListBalancesResponse { throw Status(.unimplemented) }
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
