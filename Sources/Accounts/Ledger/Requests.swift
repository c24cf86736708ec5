import Domain

// What the operations ask for, once their requests were found well formed. The body hash covers every field except the
// key: the same key with another hash is another request under a used name.

/// Opens an account with a balance taken from the internal account "external".
struct AccountOpening: Sendable, Hashable {
    let account: AccountID
    let customer: CustomerID
    /// Zero or more.
    let balance: Money

    var key: OperationKey {
        get throws(InvalidID) { try OperationKey("\(account)/opening") }
    }

    var bodyHash: String {
        hashed(.open) {
            $0.combine(account.text)
            $0.combine(customer.text)
            $0.combine(balance)
        }
    }
}

/// Moves money between a customer's account and the internal account "fx-liquidity".
struct Movement: Sendable, Hashable {
    enum Direction: Sendable, Hashable { case withdraw, deposit }

    let key: OperationKey
    let direction: Direction
    let account: AccountID
    /// Above zero.
    let amount: Money
    let purpose: String

    var kind: OperationKind {
        switch direction {
        case .withdraw: .withdraw
        case .deposit: .deposit
        }
    }

    var bodyHash: String {
        hashed(kind) {
            $0.combine(account.text)
            $0.combine(amount)
            $0.combine(purpose)
        }
    }
}

/// Reserves money for an order. The hold's id is the operation key.
struct HoldPlacement: Sendable, Hashable {
    let hold: HoldID
    let account: AccountID
    /// Above zero.
    let amount: Money
    let order: OrderID

    var key: OperationKey {
        get throws(InvalidID) { try OperationKey(hold.text) }
    }

    var bodyHash: String {
        hashed(.hold) {
            $0.combine(account.text)
            $0.combine(amount)
            $0.combine(order.text)
        }
    }
}

/// Takes what an execution cost: from the hold, and what exceeds it from the available balance.
struct HoldCapture: Sendable, Hashable {
    let hold: HoldID
    let key: OperationKey
    /// Zero or more.
    let amount: Money

    var bodyHash: String {
        hashed(.capture) {
            $0.combine(hold.text)
            $0.combine(amount)
        }
    }
}

/// Gives back what is left of a hold.
struct HoldRelease: Sendable, Hashable {
    let hold: HoldID
    let key: OperationKey

    var bodyHash: String { hashed(.release) { $0.combine(hold.text) } }
}

private func hashed(_ kind: OperationKind, _ fields: (inout StableHash) -> Void) -> String {
    var hash = StableHash()
    hash.combine(kind.rawValue)
    fields(&hash)
    return hash.hexadecimal
}

extension StableHash {
    fileprivate mutating func combine(_ amount: Money) {
        combine(amount.currency.code)
        combine(amount.minorUnits)
    }
}
