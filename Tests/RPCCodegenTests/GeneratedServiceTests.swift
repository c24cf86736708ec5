import EventLoop
import Protobuf
import RPC
import RPCCore
import Testing

@Suite struct GeneratedServiceTests {
    private struct Echo: EchoService {
        func echo(_ request: EchoRequest, context: ServerContext) async throws -> EchoResponse {
            EchoResponse(text: request.text)
        }

        func `repeat`(
            _ request: EchoRequest, responses: ResponseStream<EchoResponse>, context: ServerContext
        ) async throws {
            for index in 0..<request.count { try await responses.write(EchoResponse(text: request.text, index: index)) }
        }

        func join(_ requests: RequestStream<EchoRequest>, context: ServerContext) async throws -> EchoResponse {
            var text = ""
            for try await request in requests { text += request.text }
            return EchoResponse(text: text)
        }

        func converse(
            _ requests: RequestStream<EchoRequest>, responses: ResponseStream<EchoResponse>, context: ServerContext
        ) async throws {
            for try await request in requests { try await responses.write(EchoResponse(text: request.text)) }
        }

        func channelMethod(
            _ request: Google_Protobuf_Empty, context: ServerContext
        ) async throws -> Google_Protobuf_Timestamp { Google_Protobuf_Timestamp() }
    }

    @Test func aServiceRegistersItsMethods() {
        let registry = ServiceRegistry([Echo()])
        #expect(registry.services == [EchoServiceMethods.service])
        #expect(
            registry.methods.mapValues(\.shape) == [
                "/test.rpc.EchoService/Echo": .unary,
                "/test.rpc.EchoService/Repeat": .serverStreaming,
                "/test.rpc.EchoService/Join": .clientStreaming,
                "/test.rpc.EchoService/Converse": .bidirectional,
                "/test.rpc.EchoService/Channel": .unary,
            ])
    }

    @Test func theSchemaNamesTypesAndShapes() throws {
        let method = try #require(EchoServiceMethods.schema.method(named: "Join"))
        #expect(method.input === EchoRequest.schema)
        #expect(method.output === EchoResponse.schema)
        #expect(method.clientStreams && !method.serverStreams)
    }

    @Test func codersUseTheMessages() throws {
        let request = EchoRequest(text: "hello", count: 2)
        let coder = EchoServiceMethods.echo.request
        #expect(try coder.decode(coder.encode(request)) == request)
    }

    @Test func everyShapeWorksOverTheWire() async throws {
        try await withClient(of: Echo()) { try await callEveryShape($0) }
    }

    /// Breaks its answers off: the only one, a message of a stream, and the answer to a stream.
    private struct Faulty: EchoService {
        static let reset = TransportFault.Action.resetStream(code: 0xb)

        func echo(_ request: EchoRequest, context: ServerContext) async throws -> EchoResponse {
            try await context.carryOut(TransportFault(Self.reset, .afterMessages(1)))
            return EchoResponse(text: request.text)
        }

        func `repeat`(
            _ request: EchoRequest, responses: ResponseStream<EchoResponse>, context: ServerContext
        ) async throws {
            try await context.carryOut(TransportFault(Self.reset, .afterMessages(1)))
            while true { try await responses.write(EchoResponse(text: request.text)) }
        }

        func join(_ requests: RequestStream<EchoRequest>, context: ServerContext) async throws -> EchoResponse {
            try await context.carryOut(TransportFault(Self.reset))
            for try await _ in requests {}
            return EchoResponse()
        }

        func converse(
            _ requests: RequestStream<EchoRequest>, responses: ResponseStream<EchoResponse>, context: ServerContext
        ) async throws {
            try await context.carryOut(TransportFault(Self.reset, .insteadOfStatus))
            for try await request in requests { try await responses.write(EchoResponse(text: request.text)) }
        }

        func channelMethod(
            _ request: Google_Protobuf_Empty, context: ServerContext
        ) async throws -> Google_Protobuf_Timestamp { Google_Protobuf_Timestamp() }
    }

    @Test(.timeLimit(.minutes(1))) func aHandlerBreaksItsAnswerOff() async throws {
        try await withClient(of: Faulty()) { client in
            let unary = await #expect(throws: Status.self) { try await client.echo(EchoRequest(text: "x")) }
            #expect(unary?.code == .resourceExhausted && unary?.certainty == .unknown)
            let streaming = await #expect(throws: Status.self) {
                try await client.repeat(EchoRequest(text: "x")) { responses in
                    var iterator = responses.makeAsyncIterator()
                    #expect(try await iterator.next()?.text == "x")
                    _ = try await iterator.next()
                }
            }
            #expect(streaming?.code == .resourceExhausted && streaming?.certainty == .unknown)
            let joined = await #expect(throws: Status.self) {
                try await client.join { try await $0.write(EchoRequest(text: "x")) }
            }
            #expect(joined?.code == .resourceExhausted)
            let conversation = await #expect(throws: Status.self) {
                try await client.converse { requests, responses in
                    try await requests.write(EchoRequest(text: "x"))
                    await requests.finish()
                    for try await response in responses { #expect(response.text == "x") }
                }
            }
            #expect(conversation?.code == .resourceExhausted)
            let next = try await client.channelMethod(Google_Protobuf_Empty())
            #expect(next == Google_Protobuf_Timestamp())
        }
    }

    /// Runs `body` with a client of `service` over a socket.
    private func withClient(of service: some EchoService, _ body: (EchoServiceClient) async throws -> Void) async throws
    {
        let group = try EventLoopGroup(name: "test", count: 2)
        let server = RPCServer(group: group, services: ServiceRegistry([service]), configuration: .init())
        let address = try await server.bind(to: .tcp(host: "127.0.0.1", port: 0))
        let channel = RPCClientChannel(target: Endpoint(address), group: group, configuration: .init())
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(EchoServiceClient(channel))) } catch {
            outcome = .failure(error)
        }
        await channel.shutDown()
        await server.shutDown(grace: .zero)
        group.shutDown()
        try outcome.get()
    }

    private func callEveryShape(_ client: EchoServiceClient) async throws {
        #expect(try await client.echo(EchoRequest(text: "세계")) == EchoResponse(text: "세계"))

        let repeated = try await client.repeat(EchoRequest(text: "x", count: 3)) { responses in
            var indices: [Int32] = []
            for try await response in responses { indices.append(response.index) }
            return indices
        }
        #expect(repeated == [0, 1, 2])

        let joined = try await client.join { requests in
            for text in ["a", "b", "c"] { try await requests.write(EchoRequest(text: text)) }
        }
        #expect(joined == EchoResponse(text: "abc"))

        let conversation = try await client.converse { requests, responses in
            var iterator = responses.makeAsyncIterator()
            var texts: [String] = []
            for text in ["one", "two"] {
                try await requests.write(EchoRequest(text: text))
                if let response = try await iterator.next() { texts.append(response.text) }
            }
            await requests.finish()
            #expect(try await iterator.next() == nil)
            return texts
        }
        #expect(conversation == ["one", "two"])

        #expect(try await client.channelMethod(Google_Protobuf_Empty()) == Google_Protobuf_Timestamp())

        // A request that breaks the rules for text is refused by the server, not cut short.
        let status = await #expect(throws: Status.self) {
            _ = try await client.channel.unary("/test.rpc.EchoService/Echo", [0x0a, 0x01, 0xff], options: .defaults)
        }
        #expect(status?.code == .internal)
    }
}
