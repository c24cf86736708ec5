/// One method with its handler, free of message types.
public struct ServerMethod: Sendable {
    public let path: String
    public let shape: CallShape
    /// Serves one call and returns when it has ended; what it throws becomes the status.
    public let serve: @Sendable (any ServerCall) async throws -> Void
    /// For a unary method: the response to a request. A transport that has the whole request may call it instead of
    /// `serve`, which does the same in more steps.
    public let answer: (@Sendable ([UInt8], ServerContext) async throws -> [UInt8])?

    public init(path: String, shape: CallShape, serve: @escaping @Sendable (any ServerCall) async throws -> Void) {
        self.path = path
        self.shape = shape
        self.serve = serve
        answer = nil
    }

    /// A unary method.
    public init(path: String, answer: @escaping @Sendable ([UInt8], ServerContext) async throws -> [UInt8]) {
        self.path = path
        shape = .unary
        self.answer = answer
        serve = { call in
            try await call.send(try await answer(try await singleRequest(call), ServerContext(call)))
        }
    }
}

/// The methods that a server answers. Filled before the server starts, then read only.
public struct ServiceRegistry: Sendable {
    /// By path.
    public private(set) var methods: [String: ServerMethod] = [:]
    public private(set) var services: [ServiceDescriptor] = []

    public init() {}

    public init(_ services: [any RPCService]) {
        for service in services { add(service) }
    }

    public mutating func add(_ service: any RPCService) { service.register(in: &self) }

    /// Names a service. Registering two services of one name is a programming error and traps.
    public mutating func describe(_ service: ServiceDescriptor) {
        precondition(!services.contains { $0.fullName == service.fullName }, "\(service.fullName) is registered twice")
        services.append(service)
    }

    /// Adds a method. Registering two methods of one path is a programming error and traps.
    public mutating func add(_ method: ServerMethod) {
        precondition(methods.updateValue(method, forKey: method.path) == nil, "\(method.path) is registered twice")
    }

    @inlinable
    public mutating func addUnary<Request, Response>(
        _ method: MethodDescriptor<Request, Response>,
        _ handler: @escaping @Sendable (Request, ServerContext) async throws -> Response
    ) {
        precondition(method.shape == .unary, "\(method.path) is not unary")
        add(
            ServerMethod(path: method.path) { bytes, context in
                try method.response.encode(
                    try await handler(try decodeRequest(bytes, method.request.decode), context))
            })
    }

    @inlinable
    public mutating func addServerStreaming<Request, Response>(
        _ method: MethodDescriptor<Request, Response>,
        _ handler: @escaping @Sendable (Request, ResponseStream<Response>, ServerContext) async throws -> Void
    ) {
        precondition(method.shape == .serverStreaming, "\(method.path) does not stream its responses only")
        add(
            ServerMethod(path: method.path, shape: method.shape) { call in
                let request = try decodeRequest(try await singleRequest(call), method.request.decode)
                try await handler(request, ResponseStream(call, method.response), ServerContext(call))
            })
    }

    @inlinable
    public mutating func addClientStreaming<Request, Response>(
        _ method: MethodDescriptor<Request, Response>,
        _ handler: @escaping @Sendable (RequestStream<Request>, ServerContext) async throws -> Response
    ) {
        precondition(method.shape == .clientStreaming, "\(method.path) does not stream its requests only")
        add(
            ServerMethod(path: method.path, shape: method.shape) { call in
                let response = try await handler(RequestStream(call, method.request), ServerContext(call))
                try await call.send(try method.response.encode(response))
            })
    }

    @inlinable
    public mutating func addBidirectional<Request, Response>(
        _ method: MethodDescriptor<Request, Response>,
        _ handler:
            @escaping @Sendable (RequestStream<Request>, ResponseStream<Response>, ServerContext) async throws ->
            Void
    ) {
        precondition(method.shape == .bidirectional, "\(method.path) does not stream both ways")
        add(
            ServerMethod(path: method.path, shape: method.shape) { call in
                try await handler(
                    RequestStream(call, method.request), ResponseStream(call, method.response), ServerContext(call))
            })
    }
}

/// The one message of a call that has exactly one.
@usableFromInline
func singleRequest(_ call: any ServerCall) async throws -> [UInt8] {
    guard let bytes = try await call.receive() else { throw Status(.internal, "the request has no message") }
    guard try await call.receive() == nil else { throw Status(.internal, "the request has more than one message") }
    return bytes
}
