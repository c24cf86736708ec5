import Contracts
import Domain
import Protobuf
import RPCCore

/// Everything the parts of a stack say about themselves at one moment of rest.
struct Books: Sendable {
    var truth = BrokerTruth()
    var stored: [FillsStoredExecution] = []
    var highWater: [FillsHighWater] = []
    var orders: [TradingOrder] = []
    var positions: [TradingPosition] = []
    /// By order id.
    var holds: [String: AccountHold] = [:]
    var trialBalances: [ServiceName: AccountTrialBalance] = [:]
    var exchanges: [FXExchange] = []
    /// By operation key.
    var operations: [String: AccountMoneyOperation] = [:]

    /// - Parameter channel: the way to a service with the operator's certificate; `control` is the mock broker's.
    static func read(
        through channel: (_ service: ServiceName, _ control: Bool) throws -> any RPCChannel
    ) async throws -> Books {
        var books = Books()
        try await books.readBroker(BrokerControlServiceClient(try channel(.mockBroker, true)))
        try await books.readReceiver(FillReceiverServiceClient(try channel(.fillReceiver, false)))
        try await books.readTrading(TradingServiceClient(try channel(.trading, false)))
        let won = AccountServiceClient(try channel(.accountKRW, false))
        let dollars = AccountServiceClient(try channel(.accountFX, false))
        try await books.readLedgers(won: won, dollars: dollars)
        try await books.readExchanges(FxServiceClient(try channel(.fx, false)), won: won, dollars: dollars)
        return books
    }

    private static let page: Int32 = 500

    private mutating func readBroker(_ broker: BrokerControlServiceClient) async throws {
        var request = BrokerGetTruthRequest(limit: Self.page)
        while true {
            let part = try await broker.getTruth(request)
            let known = (orders: truth.orders + part.orders, reports: truth.reports + part.reports)
            truth = part
            (truth.orders, truth.reports) = known
            let isComplete = known.orders.count >= part.orderCount && known.reports.count >= part.lastSequence
            if isComplete || (part.orders.isEmpty && part.reports.isEmpty) { return }
            request.afterOrder = Int64(known.orders.count)
            request.afterSequence = Int64(known.reports.count)
        }
    }

    private mutating func readReceiver(_ receiver: FillReceiverServiceClient) async throws {
        highWater = try await receiver.getHighWater(FillsGetHighWaterRequest()).brokers
        while true {
            let part = try await receiver.listExecutions(
                FillsListExecutionsRequest(
                    afterReceiverSequence: stored.last?.receiverSequence ?? 0, pageSize: Self.page))
            stored += part.executions
            if part.executions.count < Int(Self.page) { return }
        }
    }

    private mutating func readTrading(_ trading: TradingServiceClient) async throws {
        var token = ""
        repeat {
            let part = try await trading.listOrders(TradingListOrdersRequest(pageSize: Self.page, pageToken: token))
            orders += part.orders
            token = part.nextPageToken
        } while !token.isEmpty
        positions = try await trading.listPositions(TradingListPositionsRequest()).positions
    }

    private mutating func readLedgers(won: AccountServiceClient, dollars: AccountServiceClient) async throws {
        trialBalances[.accountKRW] = try await won.getTrialBalance(AccountGetTrialBalanceRequest())
        trialBalances[.accountFX] = try await dollars.getTrialBalance(AccountGetTrialBalanceRequest())
        for order in orders where order.side == .buy && order.ordStatus != .denied {
            do {
                holds[order.orderID] = try await dollars.getHold(
                    AccountGetHoldRequest(holdID: order.orderID)
                )
            } catch let status as Status where status.code == .notFound {
                continue  // The checks say what a missing hold means.
            }
        }
    }

    private mutating func readExchanges(
        _ fx: FxServiceClient, won: AccountServiceClient, dollars: AccountServiceClient
    ) async throws {
        var token = ""
        repeat {
            let part = try await fx.listExchanges(FXListExchangesRequest(pageSize: Self.page, pageToken: token))
            exchanges += part.exchanges
            token = part.nextPageToken
        } while !token.isEmpty
        for exchange in exchanges {
            try await readOperation(
                "\(exchange.exchangeID)/withdraw", from: exchange.sell?.currency == "KRW" ? won : dollars)
            try await readOperation(
                "\(exchange.exchangeID)/deposit", from: exchange.buy?.currency == "KRW" ? won : dollars)
        }
    }

    private mutating func readOperation(_ key: String, from ledger: AccountServiceClient) async throws {
        do {
            operations[key] = try await ledger.getOperation(AccountGetOperationRequest(operationKey: key))
        } catch let status as Status where status.code == .notFound {
            return  // A free key: nothing was ever asked for under it.
        }
    }
}
