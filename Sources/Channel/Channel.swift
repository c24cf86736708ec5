public import Contracts
public import Cryptography
internal import Domain
internal import Limits
internal import Logging
public import Postgres
public import RPCCore
public import ServiceKit

/// The customers' door: authenticates, limits rates, checks the entry gates, routes, and streams order updates back. It
/// holds no rule of the business.
public final class Channel: ChannelService {
    public static let databaseName = "meridian_channel"
    public static let migrations: [Migration] = [
        Migration(
            1, "create_entry_switches",
            String(decoding: PackageResources.m0001_create_entry_switches_sql, as: UTF8.self))
    ]

    private let configuration: ChannelConfiguration
    private let environment: ServiceEnvironment
    private let tokenKey: Ed25519PublicKey
    private let rates: RateLimit
    private let gate: EntryGate
    private let trading: TradingServiceClient
    private let wonLedger: AccountServiceClient
    private let dollarLedger: AccountServiceClient
    private let wonOwners: AccountOwners
    private let dollarOwners: AccountOwners

    /// - Parameter tokenKey: checks the customers' tokens.
    public init(
        configuration: ChannelConfiguration, environment: ServiceEnvironment, postgres: PostgresClient,
        tokenKey: Ed25519PublicKey, trading: any RPCChannel, wonLedger: any RPCChannel, dollarLedger: any RPCChannel
    ) {
        self.configuration = configuration
        self.environment = environment
        self.tokenKey = tokenKey
        rates = RateLimit(perSecond: configuration.callsPerSecond, burst: configuration.callBurst)
        gate = EntryGate(postgres, environment: environment, interval: configuration.entryRefresh)
        self.trading = TradingServiceClient(trading)
        self.wonLedger = AccountServiceClient(wonLedger)
        self.dollarLedger = AccountServiceClient(dollarLedger)
        wonOwners = AccountOwners(wonLedger)
        dollarOwners = AccountOwners(dollarLedger)
    }

    public var rpcServices: [any RPCService] { [self] }

    /// Keeps the view of the entry switches fresh until the task is cancelled.
    public func run() async throws { await gate.run() }

    // MARK: Calls

    public func placeOrder(
        _ request: ChannelPlaceOrderRequest, context: ServerContext
    ) async throws -> ChannelPlaceOrderResponse {
        let customer = try admit(context)
        try gate.check(configuration.overseasProduct)
        return try await forwarding {
            try await require(customer, owns: request.accountID, in: dollarOwners, field: "account_id")
            if !request.fundingAccountID.isEmpty {
                try await require(customer, owns: request.fundingAccountID, in: wonOwners, field: "funding_account_id")
            }
            let response = try await trading.placeOrder(
                TradingPlaceOrderRequest(
                    customerID: customer.text, clientOrderID: request.clientOrderID, symbol: request.symbol,
                    side: request.side, ordType: request.ordType, orderQty: request.orderQty, price: request.price,
                    timeInForce: request.timeInForce, accountID: request.accountID,
                    fundingAccountID: request.fundingAccountID))
            log(response)
            return ChannelPlaceOrderResponse(
                order: response.order.map(ChannelOrder.init), replayed: response.replayed)
        }
    }

    public func cancelOrder(
        _ request: ChannelCancelOrderRequest, context: ServerContext
    ) async throws -> ChannelCancelOrderResponse {
        let customer = try admit(context)
        return try await forwarding {
            let response = try await trading.cancelOrder(
                TradingCancelOrderRequest(customerID: customer.text, orderID: request.orderID))
            return ChannelCancelOrderResponse(order: response.order.map(ChannelOrder.init))
        }
    }

    public func getOrder(_ request: ChannelGetOrderRequest, context: ServerContext) async throws -> ChannelOrder {
        let customer = try admit(context)
        var question = TradingGetOrderRequest(customerID: customer.text)
        switch request.id {
        case .orderID(let id): question.id = .orderID(id)
        case .clientOrderID(let id): question.id = .clientOrderID(id)
        case nil: throw Refusal(.invalidArgument, "ORDER_ID_MISSING", "one of order_id and client_order_id is needed")
        }
        return try await forwarding { ChannelOrder(try await trading.getOrder(question)) }
    }

    public func listOrders(
        _ request: ChannelListOrdersRequest, context: ServerContext
    ) async throws -> ChannelListOrdersResponse {
        let customer = try admit(context)
        return try await forwarding {
            let page = try await trading.listOrders(
                TradingListOrdersRequest(
                    customerID: customer.text, pageSize: request.pageSize, pageToken: request.pageToken))
            return ChannelListOrdersResponse(
                orders: page.orders.map(ChannelOrder.init), nextPageToken: page.nextPageToken)
        }
    }

    public func streamOrders(
        _ request: ChannelStreamOrdersRequest, responses: ResponseStream<ChannelOrderUpdate>, context: ServerContext
    ) async throws {
        let customer = try admit(context)
        // A stream lives as long as its client wants; each wait inside it ends with the call.
        do {
            try await trading.streamOrderUpdates(
                TradingStreamOrderUpdatesRequest(customerID: customer.text, afterSequence: request.afterSequence)
            ) { updates in
                for try await update in updates {
                    try await responses.write(
                        ChannelOrderUpdate(sequence: update.sequence, order: update.order.map(ChannelOrder.init)))
                }
            }
        } catch {
            throw outward(error)
        }
    }

    public func getBalances(
        _ request: ChannelGetBalancesRequest, context: ServerContext
    ) async throws -> ChannelGetBalancesResponse {
        let customer = try admit(context)
        return try await forwarding {
            let question = AccountListBalancesRequest(customerID: customer.text)
            async let won = wonLedger.listBalances(question)
            async let dollars = dollarLedger.listBalances(question)
            async let positions = trading.listPositions(TradingListPositionsRequest(customerID: customer.text))
            let balances = try await won.balances + dollars.balances
            return ChannelGetBalancesResponse(
                cash: balances.map {
                    ChannelCashBalance(
                        accountID: $0.accountID, balance: $0.balance, held: $0.held, available: $0.available)
                },
                positions: try await positions.positions.map {
                    ChannelPosition(accountID: $0.accountID, symbol: $0.symbol, qty: $0.qty, cost: $0.cost)
                })
        }
    }

    // MARK: The door

    /// Who calls. Refuses whoever shows no valid token or calls too often.
    private func admit(_ context: ServerContext) throws(Refusal) -> CustomerID {
        let scheme = "Bearer "
        guard let header = context.metadata["authorization"], header.hasPrefix(scheme) else {
            throw Refusal(
                .unauthenticated, "TOKEN_MISSING", "metadata \"authorization: Bearer TOKEN\" is needed")
        }
        let customer: CustomerID
        do {
            customer = try CustomerToken(
                String(header.dropFirst(scheme.count)), verifiedWith: tokenKey, at: environment.now()
            ).customer
        } catch {
            switch error {
            case .malformed: throw Refusal(.unauthenticated, "TOKEN_MALFORMED", "the token cannot be read")
            case .forged: throw Refusal(.unauthenticated, "TOKEN_FORGED", "the token's signature is not ours")
            case .expired:
                throw Refusal(
                    .unauthenticated, "TOKEN_EXPIRED", "the token has expired; sign in again", retry: .sameIDAfter)
            }
        }
        if let pause = rates.take(customer.text, at: .now) {
            let milliseconds = pause.components.attoseconds / 1_000_000_000_000_000 + pause.components.seconds * 1000
            throw Refusal(
                .resourceExhausted, "RATE_LIMITED", "too many calls; wait and send the same request again",
                retry: .sameIDAfter, context: ["retry_after_milliseconds": "\(milliseconds)"])
        }
        return customer
    }

    /// An account that is missing and one of somebody else look the same from outside. Nothing has been asked of the
    /// inside before it: whatever fails here is certain.
    private func require(
        _ customer: CustomerID, owns account: String, in owners: AccountOwners, field: String
    ) async throws {
        do {
            _ = try AccountID(account)
        } catch {
            let defect =
                switch error {
                case .empty: "EMPTY"
                case .tooLong: "TOO_LONG"
                case .forbiddenCharacter: "MALFORMED"
                }
            throw Refusal(
                .invalidArgument, "\(field.uppercased())_\(defect)", "\(field): \(error)", context: ["field": field])
        }
        let owner: String?
        do {
            owner = try await owners.owner(of: account)
        } catch {
            environment.log.error("owner.unknown", metadata: ["error": "\(String(describing: error))"])
            throw Refusal(
                .unavailable, "INSIDE_UNAVAILABLE", "not done; send the same request again", retry: .sameIDAfter,
                context: ["field": field])
        }
        guard owner == customer.text else {
            throw Refusal(
                .permissionDenied, "ACCOUNT_NOT_OWNED", "\(field): you have no such account",
                context: ["field": field])
        }
    }

    private func log(_ response: TradingPlaceOrderResponse) {
        guard let order = response.order else { return }
        environment.log.info(
            response.replayed ? "order.answered_again" : "order.answered",
            metadata: ["order_id": "\(order.orderID)", "client_order_id": "\(order.clientOrderID)"])
    }

    /// Runs a call to the inside within the time limit, and shows its errors as a customer may see them.
    private func forwarding<Response>(_ body: () async throws -> Response) async throws -> Response {
        do {
            return try await Deadline.within(configuration.callTimeout, body)
        } catch {
            throw outward(error)
        }
    }

    /// A refusal of ours goes out as it is; anything else becomes "unknown, ask again under the same id".
    private func outward(_ error: any Error) -> any Error {
        if error is Refusal || error is CancellationError { return error }
        let status = Status(describing: error)
        if status.certainty == .answered, WireErrorDetail(status) != nil { return status }
        environment.log.error("inside.failed", metadata: ["error": "\(String(describing: error))"])
        let certain = status.outcome == .definitelyNotDone
        return Refusal(
            status.code == .deadlineExceeded ? .deadlineExceeded : .unavailable, "INSIDE_UNAVAILABLE",
            certain ? "not done; send the same request again" : "the outcome is not known; ask, or send the same again",
            certainty: certain ? .definitelyNotDone : .unknown, retry: .sameIDAfter)
    }
}

extension ChannelOrder {
    /// An order as its customer may see it.
    init(_ order: TradingOrder) {
        self.init(
            orderID: order.orderID, clientOrderID: order.clientOrderID, accountID: order.accountID,
            symbol: order.symbol, side: order.side, ordType: order.ordType, orderQty: order.orderQty,
            price: order.price, timeInForce: order.timeInForce, ordStatus: order.ordStatus, cumQty: order.cumQty,
            leavesQty: order.leavesQty, avgPx: order.avgPx, holdAmount: order.holdAmount, reason: order.reason,
            text: order.text, version: order.version, createdAt: order.createdAt, updatedAt: order.updatedAt)
    }
}
