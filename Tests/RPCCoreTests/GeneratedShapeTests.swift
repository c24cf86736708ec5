import RPCCore
import Testing

// The shape that the generator emits, written by hand: if it stops compiling, so does all generated code.

struct Text: Sendable, Hashable {
    var value: String
    init(_ value: String) { self.value = value }
    init(decoding bytes: [UInt8]) throws { value = String(decoding: bytes, as: UTF8.self) }
    func encoded() -> [UInt8] { Array(value.utf8) }
    static let coder = MessageCoder<Text>(decode: { try Text(decoding: $0) }, encode: { $0.encoded() })
}

enum TextServiceMethods {
    static let shout = MethodDescriptor<Text, Text>(
        service: "test.TextService", method: "Shout", shape: .unary,
        request: MessageCoder(decode: { try Text(decoding: $0) }, encode: { $0.encoded() }),
        response: MessageCoder(decode: { try Text(decoding: $0) }, encode: { $0.encoded() }))
    static let split = MethodDescriptor<Text, Text>(
        service: "test.TextService", method: "Split", shape: .serverStreaming, request: Text.coder, response: Text.coder
    )
    static let join = MethodDescriptor<Text, Text>(
        service: "test.TextService", method: "Join", shape: .clientStreaming, request: Text.coder, response: Text.coder)
    static let echo = MethodDescriptor<Text, Text>(
        service: "test.TextService", method: "Echo", shape: .bidirectional, request: Text.coder, response: Text.coder)
    static let service = ServiceDescriptor(
        fullName: "test.TextService",
        methods: [
            .init(name: "Shout", shape: .unary), .init(name: "Split", shape: .serverStreaming),
            .init(name: "Join", shape: .clientStreaming), .init(name: "Echo", shape: .bidirectional),
        ])
}

protocol TextService: RPCService {
    func shout(_ request: Text, context: ServerContext) async throws -> Text
    func split(_ request: Text, responses: ResponseStream<Text>, context: ServerContext) async throws
    func join(_ requests: RequestStream<Text>, context: ServerContext) async throws -> Text
    func echo(_ requests: RequestStream<Text>, responses: ResponseStream<Text>, context: ServerContext) async throws
}

extension TextService {
    func register(in registry: inout ServiceRegistry) {
        registry.describe(TextServiceMethods.service)
        registry.addUnary(TextServiceMethods.shout) { try await shout($0, context: $1) }
        registry.addServerStreaming(TextServiceMethods.split) { try await split($0, responses: $1, context: $2) }
        registry.addClientStreaming(TextServiceMethods.join) { try await join($0, context: $1) }
        registry.addBidirectional(TextServiceMethods.echo) { try await echo($0, responses: $1, context: $2) }
    }
}

struct TextServiceClient: Sendable {
    private let channel: any RPCChannel
    init(_ channel: any RPCChannel) { self.channel = channel }

    func shout(_ request: Text, options: CallOptions = .defaults) async throws -> Text {
        try await channel.unary(TextServiceMethods.shout, request, options: options)
    }
    func split<Result>(
        _ request: Text, options: CallOptions = .defaults, _ body: (ResponseSequence<Text>) async throws -> Result
    ) async throws -> Result {
        try await channel.serverStreaming(TextServiceMethods.split, request, options: options, body)
    }
    func join(
        options: CallOptions = .defaults, _ body: (RequestWriter<Text>) async throws -> Void
    ) async throws -> Text {
        try await channel.clientStreaming(TextServiceMethods.join, options: options, body)
    }
    func echo<Result>(
        options: CallOptions = .defaults,
        _ body: (RequestWriter<Text>, ResponseSequence<Text>) async throws -> Result
    ) async throws -> Result {
        try await channel.bidirectional(TextServiceMethods.echo, options: options, body)
    }
}

struct TextServer: TextService {
    func shout(_ request: Text, context: ServerContext) async throws -> Text {
        guard !request.value.isEmpty else { throw Status(.invalidArgument, "nothing to shout") }
        return Text(request.value.uppercased())
    }
    func split(_ request: Text, responses: ResponseStream<Text>, context: ServerContext) async throws {
        for word in request.value.split(separator: " ") { try await responses.write(Text(String(word))) }
    }
    func join(_ requests: RequestStream<Text>, context: ServerContext) async throws -> Text {
        var words: [String] = []
        for try await request in requests { words.append(request.value) }
        return Text(words.joined(separator: " "))
    }
    func echo(
        _ requests: RequestStream<Text>, responses: ResponseStream<Text>, context: ServerContext
    ) async throws {
        for try await request in requests { try await responses.write(request) }
    }
}

@Test func aServiceRegistersEveryMethodWithItsShape() {
    let registry = ServiceRegistry([TextServer()])
    #expect(registry.services == [TextServiceMethods.service])
    #expect(
        registry.methods.mapValues(\.shape) == [
            "/test.TextService/Shout": .unary, "/test.TextService/Split": .serverStreaming,
            "/test.TextService/Join": .clientStreaming, "/test.TextService/Echo": .bidirectional,
        ])
}

@Test func aHandlerIsCalledDirectly() async throws {
    let reply = try await TextServer().shout(Text("a"), context: ServerContext(testing: "/test.TextService/Shout"))
    #expect(reply == Text("A"))
}
