import RPCCore

/// What `bench echo-server` serves: as little work as a handler can have.
struct EchoService: Echo_Echo {
    func unary(_ request: Echo_EchoRequest, context: ServerContext) async throws -> Echo_EchoResponse {
        Self.answer(request)
    }

    func stream(
        _ requests: RequestStream<Echo_EchoRequest>, responses: ResponseStream<Echo_EchoResponse>,
        context: ServerContext
    ) async throws {
        for try await request in requests { try await responses.write(Self.answer(request)) }
    }

    private static func answer(_ request: Echo_EchoRequest) -> Echo_EchoResponse {
        Echo_EchoResponse(id: request.id, n: request.n, payload: request.payload)
    }
}
