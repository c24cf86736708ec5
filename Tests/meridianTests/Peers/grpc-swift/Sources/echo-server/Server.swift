// What `meridian bench echo-server` is compared with: echo.Echo on grpc-swift-2 and one event loop.
// usage: echo-server PORT [DIR]    with DIR over TLS, with DIR/server.pem and DIR/server.key
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf
import NIOPosix

struct EchoService: RegistrableRPCService {
    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: "echo.Echo", method: "Unary"),
            deserializer: ProtobufDeserializer<Echo_EchoRequest>(),
            serializer: ProtobufSerializer<Echo_EchoResponse>()
        ) { request, _ in
            let message = try await ServerRequest(stream: request).message
            return StreamingServerResponse(single: ServerResponse(message: Self.answer(message)))
        }
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: "echo.Echo", method: "Stream"),
            deserializer: ProtobufDeserializer<Echo_EchoRequest>(),
            serializer: ProtobufSerializer<Echo_EchoResponse>()
        ) { request, _ in
            StreamingServerResponse { writer in
                for try await message in request.messages { try await writer.write(Self.answer(message)) }
                return [:]
            }
        }
    }

    private static func answer(_ request: Echo_EchoRequest) -> Echo_EchoResponse {
        var response = Echo_EchoResponse()
        response.id = request.id
        response.n = request.n
        response.payload = request.payload
        return response
    }
}

@main
struct Server {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard (2...3).contains(arguments.count), let port = Int(arguments[1]) else {
            fatalError("usage: echo-server PORT [DIR]")
        }
        var security = HTTP2ServerTransport.Posix.TransportSecurity.plaintext
        if arguments.count == 3 {
            security = .tls(
                certificateChain: [.file(path: "\(arguments[2])/server.pem", format: .pem)],
                privateKey: .file(path: "\(arguments[2])/server.key", format: .pem))
        }
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: security,
            eventLoopGroup: MultiThreadedEventLoopGroup(numberOfThreads: 1))
        try await GRPCServer(transport: transport, services: [EchoService()]).serve()
    }
}
