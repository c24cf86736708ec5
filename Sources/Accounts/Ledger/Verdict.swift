import Domain

/// What is to be done about a request, given what the ledger holds.
enum Verdict<Effect: Sendable & Hashable>: Sendable, Hashable {
    /// The key has this outcome already: answer it again.
    case answer(RecordedOperation)
    /// The key belongs to another request.
    case refuseOtherBody
    /// No, and nothing changes. Whether that is stored is the operation's own rule.
    case refuse(LedgerRefusal)
    /// Yes: make this change, if the account still has the version that the verdict is based on.
    case apply(Effect)

    /// A key with an outcome never looks at balances again: failures are sticky, so that a retry cannot succeed after
    /// its caller has acted on the refusal.
    init(
        _ recorded: RecordedOperation?, bodyHash: String, else effect: () throws(LedgerRefusal) -> Effect
    ) {
        switch (OperationDecision(.apply(bodyHash: bodyHash), stored: recorded?.stored), recorded) {
        case (.answer, .some(let recorded)): self = .answer(recorded)
        case (.refuseOtherBody, _): self = .refuseOtherBody
        case (.attempt, _):
            do throws(LedgerRefusal) {
                self = .apply(try effect())
            } catch {
                self = .refuse(error)
            }
        case (.answer, nil), (.seal, _), (.reverse, _):
            preconditionFailure("a request to apply is attempted, answered or refused")
        }
    }
}

/// What the account's balance changes by, in minor units.
struct BalanceShift: Sendable, Hashable {
    let amount: Int64
}

/// How a capture or a release changes a hold, in minor units.
struct Settlement: Sendable, Hashable {
    /// Out of the hold, to the broker.
    var captured: Int64 = 0
    /// Out of the available balance, to the broker.
    var excess: Int64 = 0
    /// Out of the hold, back to the available balance.
    var released: Int64 = 0
    /// Whether the hold is closed afterwards.
    let isClosed: Bool
}

extension Movement {
    func effect(on account: AccountState?) throws(LedgerRefusal) -> BalanceShift {
        var balance = try account.open.balance
        try refusing { () throws(LedgerError) in
            switch direction {
            case .withdraw: try balance.withdraw(amount)
            case .deposit: try balance.deposit(amount)
            }
        }
        return BalanceShift(amount: direction == .withdraw ? -amount.minorUnits : amount.minorUnits)
    }
}

extension HoldPlacement {
    /// The new hold. Its refusal is not to be stored: a hold moves no money, so nobody acts on its refusal as on a fact
    /// about money, and an order short of funds places the same hold again once an exchange has brought them.
    func effect(on account: AccountState?) throws(LedgerRefusal) -> PlacedHold {
        let account = try account.open
        var balance = account.balance
        return try refusing { () throws(LedgerError) in
            try balance.hold(amount)
            return PlacedHold(
                account: account.id, order: order, hold: try Hold(id: hold, amount: amount),
                excess: .zero(amount.currency))
        }
    }
}

extension HoldCapture {
    /// A hold that was released, or whose account is closed, can still be captured (in the first case from the available
    /// balance only): the execution has happened, whether or not the order was given up.
    func effect(on held: HeldAccount?) throws(LedgerRefusal) -> Settlement {
        guard var held else { throw .holdUnknown }
        return try refusing { () throws(LedgerError) in
            let capture = try held.hold.hold.capture(amount)
            try held.account.balance.take(capture)
            return Settlement(
                captured: capture.fromHold.minorUnits, excess: capture.fromAvailable.minorUnits,
                isClosed: held.hold.hold.isClosed)
        }
    }
}

extension HoldRelease {
    func effect(on held: HeldAccount?) throws(LedgerRefusal) -> Settlement {
        guard var held else { throw .holdUnknown }
        return try refusing { () throws(LedgerError) in
            let rest = try held.hold.hold.release()
            try held.account.balance.free(rest)
            return Settlement(released: rest.minorUnits, isClosed: true)
        }
    }
}

extension AccountState? {
    /// The account, if there is one that takes new operations.
    fileprivate var open: AccountState {
        get throws(LedgerRefusal) {
            guard let self else { throw .accountUnknown }
            guard self.isOpen else { throw .accountClosed }
            return self
        }
    }
}

private func refusing<Result>(_ body: () throws(LedgerError) -> Result) throws(LedgerRefusal) -> Result {
    do {
        return try body()
    } catch {
        throw LedgerRefusal(error)
    }
}
