/// A service as a server sees it.
///
/// A generated service protocol refines it and implements `register`; the application implements the methods. What the
/// generator emits for each service (this very shape is compiled in `RPCCoreTests`):
///
/// ```swift
/// public enum AccountServiceMethods {
///     public static let placeHold = MethodDescriptor<PlaceHoldRequest, PlaceHoldResponse>(
///         service: "meridian.account.v1.AccountService", method: "PlaceHold", shape: .unary,
///         request: MessageCoder(decode: { try PlaceHoldRequest(decoding: $0) }, encode: { $0.encoded() }),
///         response: MessageCoder(decode: { try PlaceHoldResponse(decoding: $0) }, encode: { $0.encoded() }))
///     // ... one per method ...
///     public static let service = ServiceDescriptor(
///         fullName: "meridian.account.v1.AccountService",
///         methods: [.init(name: "PlaceHold", shape: .unary) /* ... */],
///         files: descriptorFiles)
/// }
///
/// public protocol AccountService: RPCService {
///     func placeHold(_ request: PlaceHoldRequest, context: ServerContext) async throws -> PlaceHoldResponse
///     func watch(
///         _ request: WatchRequest, responses: ResponseStream<WatchResponse>, context: ServerContext) async throws
///     func upload(_ requests: RequestStream<UploadRequest>, context: ServerContext) async throws -> UploadResponse
///     func chat(
///         _ requests: RequestStream<ChatRequest>, responses: ResponseStream<ChatResponse>, context: ServerContext)
///         async throws
/// }
///
/// extension AccountService {
///     public func register(in registry: inout ServiceRegistry) {
///         registry.describe(AccountServiceMethods.service)
///         registry.addUnary(AccountServiceMethods.placeHold) { try await placeHold($0, context: $1) }
///         registry.addServerStreaming(AccountServiceMethods.watch) {
///             try await watch($0, responses: $1, context: $2)
///         }
///         registry.addClientStreaming(AccountServiceMethods.upload) { try await upload($0, context: $1) }
///         registry.addBidirectional(AccountServiceMethods.chat) { try await chat($0, responses: $1, context: $2) }
///     }
/// }
///
/// public struct AccountServiceClient: Sendable {
///     public let channel: any RPCChannel
///     public init(_ channel: any RPCChannel) { self.channel = channel }
///
///     public func placeHold(
///         _ request: PlaceHoldRequest, options: CallOptions = .defaults
///     ) async throws -> PlaceHoldResponse {
///         try await channel.unary(AccountServiceMethods.placeHold, request, options: options)
///     }
///     public func watch<Returned>(
///         _ request: WatchRequest, options: CallOptions = .defaults,
///         _ body: (ResponseSequence<WatchResponse>) async throws -> Returned
///     ) async throws -> Returned {
///         try await channel.serverStreaming(AccountServiceMethods.watch, request, options: options, body)
///     }
///     public func upload(
///         options: CallOptions = .defaults, _ body: (RequestWriter<UploadRequest>) async throws -> Void
///     ) async throws -> UploadResponse {
///         try await channel.clientStreaming(AccountServiceMethods.upload, options: options, body)
///     }
///     public func chat<Returned>(
///         options: CallOptions = .defaults,
///         _ body: (RequestWriter<ChatRequest>, ResponseSequence<ChatResponse>) async throws -> Returned
///     ) async throws -> Returned {
///         try await channel.bidirectional(AccountServiceMethods.chat, options: options, body)
///     }
/// }
/// ```
///
/// Calls whose types are known only at run time use `RPCChannel.unary(_:_:options:)` on bytes and
/// `RPCChannel.withCall(_:options:_:)`, or the typed functions with `MessageCoder.raw`.
public protocol RPCService: Sendable {
    func register(in registry: inout ServiceRegistry)
}
