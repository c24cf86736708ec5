import Contracts
import Domain
import EventLoop
import Limits
import Logging
import Postgres
import RPCCore

/// The ledger as a service: requests in, verdicts out, errors by the table in `Errors.swift`.
struct AccountHandlers: AccountService {
    let ledger: Ledger
    let group: EventLoopGroup

    func openAccount(_ request: AccountOpenAccountRequest, context: ServerContext) async throws -> AccountBalance {
        let opening = try AccountOpening(request, ledger.configuration)
        return AccountBalance(try await answer { try await $0.open(opening) })
    }

    func getBalance(_ request: AccountGetBalanceRequest, context: ServerContext) async throws -> AccountBalance {
        let account = try AccountID(customers: request.accountID)
        return AccountBalance(try await answer { try await $0.account(account) })
    }

    func listBalances(
        _ request: AccountListBalancesRequest, context: ServerContext
    ) async throws -> AccountListBalancesResponse {
        let customer = try CustomerID(request.customerID, field: "customer_id")
        let accounts = try await answer { try await $0.accounts(of: customer) }
        return AccountListBalancesResponse(balances: accounts.map(AccountBalance.init))
    }

    func placeHold(_ request: AccountPlaceHoldRequest, context: ServerContext) async throws -> AccountHoldResponse {
        let placement = try HoldPlacement(request, ledger.configuration)
        return AccountHoldResponse(try await answer { try await $0.place(placement) })
    }

    func captureHold(
        _ request: AccountCaptureHoldRequest, context: ServerContext
    ) async throws -> AccountHoldResponse {
        let capture = try HoldCapture(request, ledger.configuration)
        return AccountHoldResponse(try await answer { try await $0.capture(capture) })
    }

    func releaseHold(
        _ request: AccountReleaseHoldRequest, context: ServerContext
    ) async throws -> AccountHoldResponse {
        let release = try HoldRelease(request)
        return AccountHoldResponse(try await answer { try await $0.release(release) })
    }

    func getHold(_ request: AccountGetHoldRequest, context: ServerContext) async throws -> AccountHold {
        let hold = try HoldID(request.holdID, field: "hold_id")
        return AccountHold(try await answer { try await $0.hold(hold) })
    }

    func withdraw(
        _ request: AccountMoneyOperationRequest, context: ServerContext
    ) async throws -> AccountMoneyOperation {
        try await move(.withdraw, request)
    }

    func deposit(
        _ request: AccountMoneyOperationRequest, context: ServerContext
    ) async throws -> AccountMoneyOperation {
        try await move(.deposit, request)
    }

    func resolveOperation(
        _ request: AccountResolveOperationRequest, context: ServerContext
    ) async throws -> AccountMoneyOperation {
        let key = try OperationKey(request.operationKey, field: "operation_key")
        let answer = try await answer { try await $0.resolve(key) }
        return AccountMoneyOperation(answer.value, isReplay: answer.isReplay)
    }

    func getOperation(
        _ request: AccountGetOperationRequest, context: ServerContext
    ) async throws -> AccountMoneyOperation {
        let key = try OperationKey(request.operationKey, field: "operation_key")
        guard let operation = try await answer({ try await $0.operation(key) }) else {
            throw Refusal(
                .notFound, "OPERATION_UNKNOWN", "the key is free; only ResolveOperation says that it will stay so",
                context: ["operation_key": key.text])
        }
        return AccountMoneyOperation(operation, isReplay: true)
    }

    func getTrialBalance(
        _ request: AccountGetTrialBalanceRequest, context: ServerContext
    ) async throws -> AccountTrialBalance {
        try await answer(within: ledger.configuration.auditTimeout) { try await $0.trialBalance() }
    }

    private func move(
        _ direction: Movement.Direction, _ request: AccountMoneyOperationRequest
    ) async throws -> AccountMoneyOperation {
        let movement = try Movement(direction, request, ledger.configuration)
        let answer = try await answer { try await $0.move(movement) }
        return AccountMoneyOperation(answer.value, isReplay: answer.isReplay)
    }

    /// Runs `body` on a loop of ours, within the operation's time-out, and turns the store's errors into refusals.
    private func answer<Result: Sendable>(
        within limit: Duration? = nil, _ body: @Sendable (Ledger) async throws -> Result
    ) async throws -> Result {
        do {
            return try await group.next.perform {
                try await Deadline.within(limit ?? ledger.configuration.operationTimeout) { try await body(ledger) }
            }
        } catch let error as PostgresError {
            ledger.log.warning("ledger.failed", metadata: ["error": "\(error)"])
            throw Refusal(error)
        }
    }
}
