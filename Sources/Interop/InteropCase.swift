internal import Limits
internal import RPCCore

/// One of gRPC's published interop tests, from the client's side.
///
/// Source: gRPC, "Interoperability Test Case Descriptions", Client. The cases that need Google's identities, a caching
/// proxy, or xDS are not there; the page of this module says why.
public struct InteropCase: Sendable {
    /// As published, such as `empty_unary`.
    public let name: String
    /// What it shows, in a few words.
    public let summary: String
    private let kind: Kind

    private enum Kind: Sendable {
        case single(@Sendable (any RPCChannel) async throws -> Void)
        case soak(renewsChannel: Bool)
    }

    /// For a case that is no soak: from its start to its end. A soak has a limit of its own.
    public static let limit: Duration = .seconds(30)

    public static func named(_ name: String) -> InteropCase? { all.first { $0.name == name } }

    /// Returns when all is as the description says; throws ``Mismatch`` otherwise.
    public func run(_ run: InteropRun) async throws {
        do {
            switch kind {
            case .single(let body):
                try await Deadline.within(Self.limit) { try await run.withChannel(body) }
            case .soak(let renewsChannel):
                try await Deadline.within(run.soak.limit) {
                    try await Soak(run, renewsChannel: renewsChannel).run()
                }
            }
        } catch let mismatch as Mismatch {
            throw mismatch
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw Mismatch("status", expected: "OK", actual: "\(Status(describing: error))")
        }
    }

    private init(_ name: String, _ summary: String, _ body: @escaping @Sendable (any RPCChannel) async throws -> Void) {
        self.name = name
        self.summary = summary
        kind = .single(body)
    }

    private init(soak name: String, _ summary: String, renewsChannel: Bool) {
        self.name = name
        self.summary = summary
        kind = .soak(renewsChannel: renewsChannel)
    }

    /// In the order of the descriptions.
    public static let all = [
        InteropCase("empty_unary", "messages of no bytes", emptyUnary),
        InteropCase("large_unary", "messages larger than a window", largeUnary),
        InteropCase("client_compressed_unary", "requests, compressed and not", clientCompressedUnary),
        InteropCase("server_compressed_unary", "responses, compressed and not", serverCompressedUnary),
        InteropCase("client_streaming", "several requests", clientStreaming),
        InteropCase(
            "client_compressed_streaming", "requests of one call, compressed and not", clientCompressedStreaming),
        InteropCase("server_streaming", "several responses", serverStreaming),
        InteropCase(
            "server_compressed_streaming", "responses of one call, compressed and not", serverCompressedStreaming),
        InteropCase("ping_pong", "a response for each request", pingPong),
        InteropCase("empty_stream", "no message either way", emptyStream),
        InteropCase("custom_metadata", "metadata before and after the messages, text and bytes", customMetadata),
        InteropCase("status_code_and_message", "a status of the server's choice", statusCodeAndMessage),
        InteropCase("special_status_message", "white space and any Unicode in a status", specialStatusMessage),
        InteropCase("unimplemented_method", "a method that the service lacks", unimplementedMethod),
        InteropCase("unimplemented_service", "a service that the server lacks", unimplementedService),
        InteropCase("cancel_after_begin", "a call cancelled before its first message", cancelAfterBegin),
        InteropCase(
            "cancel_after_first_response", "a call cancelled after the first response", cancelAfterFirstResponse),
        InteropCase("timeout_on_sleeping_server", "a call whose time runs out", timeoutOnSleepingServer),
        InteropCase(soak: "rpc_soak", "large_unary many times on one channel", renewsChannel: false),
        InteropCase(soak: "channel_soak", "large_unary many times, each on a new channel", renewsChannel: true),
    ]
}
