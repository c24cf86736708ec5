import Contracts
import Domain

// The ledger's values as messages.

extension AccountBalance {
    init(_ account: AccountState) {
        self.init(
            accountID: account.id.text, customerID: account.customer.text, balance: WireMoney(account.balance.balance),
            held: WireMoney(account.balance.held), available: WireMoney(account.balance.available),
            version: account.version)
    }
}

extension AccountHold {
    init(_ placed: PlacedHold) {
        let hold = placed.hold
        self.init(
            holdID: hold.id.text, accountID: placed.account.text, orderID: placed.order.text,
            amount: WireMoney(hold.amount), captured: WireMoney(hold.captured), released: WireMoney(hold.released),
            remaining: WireMoney(hold.remaining), state: hold.isClosed ? .closed : .open,
            excess: WireMoney(placed.excess))
    }
}

extension AccountHoldResponse {
    init(_ answer: Answered<HeldAccount>) {
        self.init(
            hold: AccountHold(answer.value.hold), balance: AccountBalance(answer.value.account),
            replayed: answer.isReplay)
    }
}

extension AccountMoneyOperation {
    init(_ operation: RecordedOperation, isReplay: Bool) {
        self.init(
            operationKey: operation.key.text, outcome: AccountOperationOutcome(operation.outcome),
            reason: operation.outcome.refusal?.rawValue ?? "", accountID: operation.facts?.account.text ?? "",
            amount: operation.facts.map { WireMoney($0.amount) }, replayed: isReplay)
    }
}

extension AccountOperationOutcome {
    init(_ outcome: OperationOutcome) {
        switch outcome {
        case .applied: self = .applied
        case .refused: self = .refused
        case .sealed: self = .sealed
        case .reversed: self = .reversed
        }
    }
}

extension AccountTrialBalance {
    init(_ rows: [ReadTrialBalance.Row], _ internals: [ReadInternalBalances.Row]) {
        self.init(
            lines: rows.map { row in
                AccountTrialBalanceLine(
                    currency: row.currency, sumOfEntries: row.sumOfEntries, accountsOutOfStep: row.accountsOutOfStep,
                    held: row.held, holdsOutOfStep: row.holdsOutOfStep, entries: row.entries,
                    internalBalances: internals.filter { $0.currency == row.currency }.map {
                        AccountInternalBalance(accountID: $0.account, balance: $0.balance)
                    })
            })
    }
}
