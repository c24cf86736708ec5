import Protobuf
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
}
