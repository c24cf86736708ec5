internal import Contracts
internal import Domain
internal import Limits
internal import RPCCore

/// The two account services between which money is exchanged.
struct Participants: Sendable {
    private let krw: AccountServiceClient
    private let fx: AccountServiceClient
    private let timeout: Duration

    init(krw: any RPCChannel, fx: any RPCChannel, timeout: Duration) {
        self.krw = AccountServiceClient(krw)
        self.fx = AccountServiceClient(fx)
        self.timeout = timeout
    }

    /// Makes the call of a step. Every failure is an answer too: unknown.
    func answer(_ call: ExchangeStep.Call, for exchange: ExchangeSnapshot) async -> LegAnswer {
        switch call {
        case .withdraw:
            await ask(exchange.price.sell.currency) { client, options in
                try await client.withdraw(
                    operation(exchange.withdrawKey, exchange.source, exchange.price.sell, exchange), options: options)
            }
        case .resolveWithdrawal: await resolve(exchange.withdrawKey, in: exchange.price.sell.currency)
        case .deposit:
            await ask(exchange.price.buy.currency) { client, options in
                try await client.deposit(
                    operation(exchange.depositKey, exchange.target, exchange.price.buy, exchange), options: options)
            }
        case .resolveDeposit: await resolve(exchange.depositKey, in: exchange.price.buy.currency)
        }
    }

    /// Whether the withdrawal has been given back. Asks for the stored outcome, which is there, since it applied.
    func withdrawalIsReversed(_ exchange: ExchangeSnapshot) async -> Bool {
        let request = AccountResolveOperationRequest(operationKey: exchange.withdrawKey.text)
        let answer = await stored(exchange.price.sell.currency) { client, options in
            try await client.resolveOperation(request, options: options)
        }
        return (try? answer.get())?.outcome == .reversed
    }

    private func resolve(_ key: OperationKey, in currency: Currency) async -> LegAnswer {
        let request = AccountResolveOperationRequest(operationKey: key.text)
        return await ask(currency) { client, options in
            try await client.resolveOperation(request, options: options)
        }
    }

    private func ask(
        _ currency: Currency,
        _ call: (AccountServiceClient, CallOptions) async throws -> AccountMoneyOperation
    ) async -> LegAnswer {
        switch await stored(currency, call) {
        case .success(let operation): LegAnswer(operation)
        case .failure(let status): LegAnswer(status)
        }
    }

    private func stored(
        _ currency: Currency,
        _ call: (AccountServiceClient, CallOptions) async throws -> AccountMoneyOperation
    ) async -> Result<AccountMoneyOperation, Status> {
        let client =
            switch currency {
            case .krw: krw
            case .usd: fx
            }
        do {
            // A connection that is only just being made is worth waiting for: nothing has been sent yet.
            let options = CallOptions(timeout: timeout, waitsForReady: true)
            return .success(try await call(client, options))
        } catch {
            return .failure(Status(describing: error))
        }
    }

    private func operation(
        _ key: OperationKey, _ account: AccountID, _ amount: Money, _ exchange: ExchangeSnapshot
    ) -> AccountMoneyOperationRequest {
        AccountMoneyOperationRequest(
            operationKey: key.text, accountID: account.text, amount: WireMoney(amount),
            purpose: "exchange \(exchange.id.text)")
    }
}
