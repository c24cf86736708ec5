public import RPCCore

/// What not every broker offers: a server that has none of it answers UNIMPLEMENTED, as its capability record says.
extension BrokerService {
    public func replaceOrder(
        _ request: BrokerReplaceOrderRequest, context: ServerContext
    ) async throws -> BrokerReplaceOrderResponse { throw notOffered("ReplaceOrder") }

    public func listOrders(
        _ request: BrokerListOrdersRequest, context: ServerContext
    ) async throws -> BrokerListOrdersResponse { throw notOffered("ListOrders") }

    public func massStatus(
        _ request: BrokerMassStatusRequest, responses: ResponseStream<BrokerMassStatusReport>, context: ServerContext
    ) async throws { throw notOffered("MassStatus") }

    public func listPositions(
        _ request: BrokerListPositionsRequest, context: ServerContext
    ) async throws -> BrokerListPositionsResponse { throw notOffered("ListPositions") }

    public func getAccount(
        _ request: BrokerGetAccountRequest, context: ServerContext
    ) async throws -> BrokerAccount { throw notOffered("GetAccount") }

    public func getStatement(
        _ request: BrokerGetStatementRequest, context: ServerContext
    ) async throws -> BrokerStatement { throw notOffered("GetStatement") }

    private func notOffered(_ method: String) -> Status {
        Status(.unimplemented, "this broker does not offer \(method)")
    }
}
