import Contracts
import Protobuf
import RPCCore
import TestSupport

/// A channel to a ledger that knows whose accounts there are, and can be taken down.
final class FakeOwners: RPCChannel {
    private let owners: [String: String]
    private let failure: Status?
    /// How often it was asked.
    let questions = Counter()

    init(_ owners: [String: String], failure: Status? = nil) {
        self.owners = owners
        self.failure = failure
    }

    func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall {
        throw Status(.unimplemented, "only unary calls", certainty: .notProcessed)
    }

    func unary(_ path: String, _ request: [UInt8], options: CallOptions) async throws -> [UInt8] {
        questions.increment()
        if let failure { throw failure }
        switch path {
        case AccountServiceMethods.getBalance.path:
            let account = try AccountGetBalanceRequest(decoding: request).accountID
            guard let owner = owners[account] else {
                throw Refusal(.notFound, "ACCOUNT_UNKNOWN", "no such account").status
            }
            return AccountBalance(accountID: account, customerID: owner).encoded()
        case AccountServiceMethods.listBalances.path:
            let customer = try AccountListBalancesRequest(decoding: request).customerID
            let own = owners.filter { $0.value == customer }.keys.sorted()
            return AccountListBalancesResponse(
                balances: own.map { AccountBalance(accountID: $0, customerID: customer) }
            ).encoded()
        default: throw Status(.unimplemented, path)
        }
    }
}
