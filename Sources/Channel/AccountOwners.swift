internal import Contracts
internal import RPCCore
internal import Synchronization

/// Whose account is it? An account never changes its owner, so what was asked once is remembered, for at most
/// `capacity` accounts.
final class AccountOwners: Sendable {
    private let client: AccountServiceClient
    private let capacity: Int
    private let owners = Mutex<[String: String]>([:])

    init(_ ledger: any RPCChannel, capacity: Int = 100_000) {
        client = AccountServiceClient(ledger)
        self.capacity = capacity
    }

    /// Nil when there is no such account. Throws `Status` when the ledger cannot be asked.
    func owner(of account: String) async throws -> String? {
        if let known = owners.withLock({ $0[account] }) { return known }
        do {
            let balance = try await client.getBalance(AccountGetBalanceRequest(accountID: account))
            owners.withLock { owners in
                if owners.count >= capacity { owners.removeAll() }
                owners[account] = balance.customerID
            }
            return balance.customerID
        } catch {
            let status = Status(describing: error)
            // The ledger's own refusal: no such account, or no such account id at all.
            guard status.certainty == .answered, WireErrorDetail(status) != nil,
                status.code == .notFound || status.code == .invalidArgument
            else { throw status }
            return nil
        }
    }
}
