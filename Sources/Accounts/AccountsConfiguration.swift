public import Domain
public import Limits

/// The settings of one ledger.
public struct AccountsConfiguration: Sendable {
    /// The name of the ledger, `krw` or `fx`: it tells the logs, the locks and the consumer groups of two ledgers apart.
    public var ledger: String
    /// Which of the processes of this ledger this is; the same after a restart.
    public var instance = "1"
    /// The currencies in which accounts may be opened.
    public var currencies: Set<Currency>
    /// The longest that one operation may take, even when its caller would wait longer.
    public var operationTimeout: Duration = .seconds(2)
    /// The longest that a trial balance may take; it reads every entry.
    public var auditTimeout: Duration = .seconds(60)
    /// Time-out of the Redis lock of an account; longer than an operation, so that a healthy holder keeps it.
    public var lockTimeToLive: Duration = .seconds(3)
    /// How long an operation waits for another process to give the lock back, before it goes on without it.
    public var lockWait: Duration = .milliseconds(500)
    /// How long Redis may take to answer, before an operation goes on without the lock.
    public var lockAnswerWait: Duration = .milliseconds(50)
    /// How often an operation is tried when the version of its account moves under it, at least 1.
    public var attempts = 12
    /// The delay between these tries.
    public var backoff = Backoff(initial: .milliseconds(1), maximum: .milliseconds(50), jitterPercent: 50)
    /// Operations of one account that may wait in this process; the next is refused with RESOURCE_EXHAUSTED.
    public var waitersPerAccount = 256
    /// The largest amount of one operation, in minor units.
    public var largestAmount: Int64 = 1_000_000_000_000_000
    /// Accounts listed for one customer at most.
    public var accountsPerCustomer = 1000

    /// Called between reading an account and changing it, under its lock: tests let the lock expire there.
    package var beforeChange: (@Sendable (AccountID) async -> Void)?

    /// The ledger of the won.
    public static let krw = AccountsConfiguration(ledger: "krw", currencies: [.krw])
    /// The ledger of the foreign currencies.
    public static let fx = AccountsConfiguration(ledger: "fx", currencies: [.usd])

    public init(ledger: String, currencies: Set<Currency>) {
        self.ledger = ledger
        self.currencies = currencies
    }

    /// Refuses settings that make no sense, naming the first of them. The service does so before it runs.
    public func validate() throws(InvalidAccountsConfiguration) {
        for (setting, isValid, rule) in [
            ("ledger", !ledger.isEmpty, "must have a name"),
            ("instance", !instance.isEmpty, "must have a name"),
            ("currencies", !currencies.isEmpty, "must not be empty"),
            ("operationTimeout", operationTimeout > .zero, "must be above zero"),
            ("auditTimeout", auditTimeout > .zero, "must be above zero"),
            ("lockWait", lockWait >= .zero, "must not be negative"),
            ("lockAnswerWait", lockAnswerWait > .zero, "must be above zero"),
            // Otherwise a healthy holder would lose its lock, and the compare-and-set would refuse what need not be.
            ("lockTimeToLive", lockTimeToLive > operationTimeout, "must be longer than operationTimeout"),
            ("attempts", attempts >= 1, "must be at least 1"),
            ("waitersPerAccount", waitersPerAccount >= 1, "must be at least 1"),
            ("largestAmount", largestAmount >= 1, "must be at least 1"),
            ("accountsPerCustomer", accountsPerCustomer >= 1, "must be at least 1"),
        ] where !isValid {
            throw InvalidAccountsConfiguration(setting: setting, rule: rule)
        }
    }
}

/// A setting that makes no sense.
public struct InvalidAccountsConfiguration: Error, Hashable, Sendable, CustomStringConvertible {
    public let setting: String
    public let rule: String

    public var description: String { "\(setting) \(rule)" }
}
