import Contracts
import RPCCore
import Testing

@testable import meridian

extension StackTests {
    struct GivenBackTests {
        /// The dollar ledger refuses the deposit: the won that had left come back by message, and the log tells the
        /// difference from a withdrawal that failed.
        @Test(.timeLimit(.minutes(2))) func aRefusedDepositGivesTheWithdrawalBack() async throws {
            try await TestStack.run(settings: [:]) { stack in
                let customer = try stack.customer("returned")
                try await stack.openAccounts(of: customer, won: 1_000_000, cents: 0)
                let fx = FxServiceClient(try stack.channel(to: .fx))
                var request = FXCreateExchangeRequest(
                    exchangeID: "returned-1", customerID: "returned", sourceAccountID: customer.wonAccount,
                    targetAccountID: "nobody-usd", buy: WireMoney(currency: "USD", minor: 10_000),
                    sellCurrency: "KRW", purpose: "test")
                var exchange = try await fx.createExchange(request, options: CallOptions(timeout: .seconds(10)))
                while exchange.state != .cancelled {
                    try await stack.pause()
                    exchange = try await fx.getExchange(FXGetExchangeRequest(exchangeID: request.exchangeID))
                }
                let states = exchange.log.map(\.state)
                #expect(states.contains(.withdrawSucceeded) && states.contains(.depositRefused))
                #expect(states.last == .cancelled)

                let krw = AccountServiceClient(try stack.channel(to: .accountKRW))
                let balance = try await krw.getBalance(AccountGetBalanceRequest(accountID: customer.wonAccount))
                #expect(balance.balance?.minor == 1_000_000 && balance.available?.minor == 1_000_000)
                let withdrawal = try await krw.getOperation(
                    AccountGetOperationRequest(operationKey: "returned-1/withdraw"))
                #expect(withdrawal.outcome == .reversed)

                // A withdrawal that is refused moves nothing and ends as FAILED.
                request.exchangeID = "failed-1"
                request.buy = WireMoney(currency: "USD", minor: 10_000_000)
                let failed = try await fx.createExchange(request, options: CallOptions(timeout: .seconds(10)))
                #expect(failed.state == .failed && failed.reason == "INSUFFICIENT_FUNDS")

                let books = try await stack.booksAtRest()
                for check in Auditor.check(books) { #expect(check.passed, "\(check.text)") }
                #expect(books.exchanges.count == 2)
            }
        }
    }
}
