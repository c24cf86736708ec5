internal import Limits
internal import Protobuf
public import RPCCore

/// The server's side of gRPC's interop tests: `grpc.testing.TestService`.
///
/// Does what each request says: sizes, pauses, compression, status, metadata. Loads (ORCA) are not reported and callers
/// not named. Source: gRPC, "Interoperability Test Case Descriptions", Server.
public struct InteropService: RPCService {
    private typealias Methods = Grpc_Testing_TestServiceMethods

    /// Of one response, and of the responses that a half-duplex call may ask for: what a client can make this server
    /// hold is bounded, past it the call fails with RESOURCE_EXHAUSTED.
    static let maximumPayloadBytes = 16 << 20
    static let maximumBufferedResponses = 1024

    static let initialKey = "x-grpc-test-echo-initial"
    static let trailingKey = "x-grpc-test-echo-trailing-bin"

    private let serverID = "meridian-" + String(UInt64.random(in: .min ... .max), radix: 16)

    public init() {}

    /// All methods but `UnimplementedCall`, which no server has.
    public func register(in registry: inout ServiceRegistry) {
        registry.describe(Methods.service)
        registry.addUnary(Methods.emptyCall) { _, context in
            try await begin(context)
            return Grpc_Testing_Empty()
        }
        registry.addUnary(Methods.cacheableUnaryCall) { try await cacheableUnaryCall($0, $1) }
        registry.addServerStreaming(Methods.streamingOutputCall) { try await streamingOutputCall($0, $1, $2) }
        registry.addBidirectional(Methods.fullDuplexCall) { try await fullDuplexCall($0, $1, $2) }
        registry.addBidirectional(Methods.halfDuplexCall) { try await halfDuplexCall($0, $1, $2) }
        // These two look at what their requests were on the wire.
        registry.add(
            ServerMethod(path: Methods.unaryCall.path, shape: .unary) { call in try await unaryCall(call) })
        registry.add(
            ServerMethod(path: Methods.streamingInputCall.path, shape: .clientStreaming) { call in
                try await streamingInputCall(call)
            })
    }

    // MARK: One response

    private func unaryCall(_ call: any ServerCall) async throws {
        guard let (request, wasCompressed) = try await read(call, Methods.unaryCall.request) else {
            throw Status(.internal, "the request has no message")
        }
        try await begin(ServerContext(call), compressing: request.responseCompressed?.value ?? false)
        try check(request.expectCompressed, wasCompressed)
        try refuse(request.responseStatus)
        var response = Grpc_Testing_SimpleResponse()
        response.payload = try payload(request.responseType, request.responseSize)
        if request.fillServerID { response.serverID = serverID }
        try await call.send(try Methods.unaryCall.response.encode(response))
    }

    private func cacheableUnaryCall(
        _ request: Grpc_Testing_SimpleRequest, _ context: ServerContext
    ) async throws -> Grpc_Testing_SimpleResponse {
        try await begin(context, with: ["cache-control": "max-age=60, public"])
        let time = Array(String(MonotonicClock.nanoseconds()).utf8)
        return Grpc_Testing_SimpleResponse(payload: Grpc_Testing_Payload(body: time))
    }

    private func streamingInputCall(_ call: any ServerCall) async throws {
        try await begin(ServerContext(call))
        var size = 0
        while let (request, wasCompressed) = try await read(call, Methods.streamingInputCall.request) {
            try check(request.expectCompressed, wasCompressed)
            size += request.payload?.body.count ?? 0
        }
        let response = Grpc_Testing_StreamingInputCallResponse(aggregatedPayloadSize: Int32(clamping: size))
        try await call.send(try Methods.streamingInputCall.response.encode(response))
    }

    // MARK: Streamed responses

    private typealias Responses = ResponseStream<Grpc_Testing_StreamingOutputCallResponse>
    private typealias Requests = RequestStream<Grpc_Testing_StreamingOutputCallRequest>

    private func streamingOutputCall(
        _ request: Grpc_Testing_StreamingOutputCallRequest, _ responses: Responses, _ context: ServerContext
    ) async throws {
        try await begin(context, compressing: true)
        try refuse(request.responseStatus)
        try await send(request.responseParameters, of: request.responseType, to: responses)
    }

    private func fullDuplexCall(_ requests: Requests, _ responses: Responses, _ context: ServerContext) async throws {
        try await begin(context, compressing: true)
        for try await request in requests {
            try refuse(request.responseStatus)
            try await send(request.responseParameters, of: request.responseType, to: responses)
        }
    }

    private func halfDuplexCall(_ requests: Requests, _ responses: Responses, _ context: ServerContext) async throws {
        try await begin(context, compressing: true)
        var wanted: [(type: Grpc_Testing_PayloadType, parameters: Grpc_Testing_ResponseParameters)] = []
        for try await request in requests {
            try refuse(request.responseStatus)
            wanted += request.responseParameters.map { (request.responseType, $0) }
            guard wanted.count <= Self.maximumBufferedResponses else {
                throw Status(.resourceExhausted, "more than \(Self.maximumBufferedResponses) responses are asked for")
            }
        }
        for (type, parameters) in wanted { try await send([parameters], of: type, to: responses) }
    }

    private func send(
        _ parameters: [Grpc_Testing_ResponseParameters], of type: Grpc_Testing_PayloadType, to responses: Responses
    ) async throws {
        for parameters in parameters {
            let payload = try payload(type, parameters.size)
            if parameters.intervalUs > 0 { try await Task.sleep(for: .microseconds(parameters.intervalUs)) }
            try await responses.write(
                Grpc_Testing_StreamingOutputCallResponse(payload: payload),
                compressing: parameters.compressed?.value ?? false)
        }
    }

    // MARK: What all calls share

    /// Sends the initial metadata and prepares the trailing: what the client wants back.
    private func begin(
        _ context: ServerContext, compressing: Bool = false, with metadata: Metadata = [:]
    ) async throws {
        if compressing { try await context.setResponseEncoding(.gzip) }
        var initial = metadata
        if let text = context.metadata[Self.initialKey] { try initial.append(text, for: Self.initialKey) }
        if !initial.isEmpty { try await context.sendInitialMetadata(initial) }
        guard let bytes = context.metadata[bytes: Self.trailingKey] else { return }
        var trailing = Metadata()
        try trailing.append(bytes, for: Self.trailingKey)
        context.appendTrailingMetadata(trailing)
    }

    /// The next message and whether it came compressed; nil after the last.
    private func read<Request>(
        _ call: any ServerCall, _ coder: MessageCoder<Request>
    ) async throws -> (request: Request, wasCompressed: Bool)? {
        guard let message = try await call.receiveMessage() else { return nil }
        do {
            return (try coder.decode(message.bytes), message.wasCompressed)
        } catch {
            throw Status(.internal, "unreadable request message")
        }
    }

    private func check(_ expected: Grpc_Testing_BoolValue?, _ wasCompressed: Bool) throws(Status) {
        guard let expected, expected.value != wasCompressed else { return }
        throw Status(
            .invalidArgument,
            wasCompressed ? "the message is compressed, and should not be" : "the message is not compressed")
    }

    /// Ends the call if the client wants it.
    private func refuse(_ status: Grpc_Testing_EchoStatus?) throws(Status) {
        guard let status, status.code != 0 else { return }
        throw Status(Status.Code(rawValue: Int(status.code)) ?? .unknown, status.message)
    }

    private func payload(_ type: Grpc_Testing_PayloadType, _ size: Int32) throws(Status) -> Grpc_Testing_Payload {
        guard type == .compressable else {
            throw Status(.invalidArgument, "payload type \(type.rawValue) is not supported")
        }
        guard size >= 0 else { throw Status(.invalidArgument, "a payload has no size of \(size) bytes") }
        guard size <= Self.maximumPayloadBytes else {
            throw Status(.resourceExhausted, "a payload has at most \(Self.maximumPayloadBytes) bytes")
        }
        return .zeros(Int(size))
    }
}

extension Grpc_Testing_Payload {
    static func zeros(_ count: Int) -> Grpc_Testing_Payload {
        Grpc_Testing_Payload(body: [UInt8](repeating: 0, count: count))
    }
}
