import EventLoop
import RPC
import RPCCore
import Synchronization
import Testing

private struct Broken: Error {}

/// Answers with the `authorization` that came.
private struct Mirror: RPCService {
    func register(in registry: inout ServiceRegistry) {
        registry.addUnary(Methods.echo) { _, context in context.metadata["authorization"] ?? "none" }
    }
}

@Test func credentialsAreNotSentInTheClear() async throws {
    try await Fixture.run { fixture in
        let asked = Mutex(0)
        let credentials = CallCredentials { _ in
            asked.withLock { $0 += 1 }
            return ["authorization": "Bearer secret"]
        }
        let channel = fixture.channel.intercepted(by: [credentials])
        let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(status?.code == .unauthenticated && status?.certainty == .notProcessed)
        #expect(status?.message.contains("secret") == false && asked.withLock { $0 } == 0)
    }
}

@Test func credentialsGoWithEachCallOverTLS() async throws {
    let certificates = try Certificates.shared.get()
    let server = try certificates.serverContext()
    let client = try certificates.clientContext(certificates.client)
    try await Fixture.run(serverTLS: server, clientTLS: client) { fixture in
        let paths = Mutex<[String]>([])
        let credentials = CallCredentials { path in
            paths.withLock { $0.append(path) }
            return ["x-initial": "token"]
        }
        let channel = fixture.channel.intercepted(by: [Passing(), credentials])
        let initial = try await channel.withCall(Methods.echo.path) { call in
            try await call.send([])
            await call.finishSending()
            return try await call.initialMetadata()
        }
        #expect(initial == ["x-initial": "token"] && paths.withLock { $0 } == [Methods.echo.path])
    }
}

private struct Passing: ClientInterceptor {
    func startCall(_ path: String, options: CallOptions, next: any RPCChannel) async throws -> any ClientCall {
        try await next.startCall(path, options: options)
    }
}

@Test func aTokenIsCarriedInsideTheProcess() async throws {
    let channel = InProcessChannel(services: ServiceRegistry([Mirror()]))
        .intercepted(by: [try CallCredentials(bearerToken: "abc")])
    let answer = try await channel.unary(Methods.echo, "x")
    #expect(answer == "Bearer abc")
    #expect(throws: MetadataError.self) { try CallCredentials(bearerToken: "a\nb") }
}

@Test(
    arguments: [
        (Status(.unavailable, "token server"), Status.Code.unavailable), (Status(.notFound), .internal),
        (Status(.invalidArgument), .internal), (Broken(), .unauthenticated),
    ] as [(any Error, Status.Code)])
func credentialsThatFailEndTheCall(_ error: any Error, _ code: Status.Code) async throws {
    let channel = InProcessChannel(services: ServiceRegistry([Mirror()]))
        .intercepted(by: [CallCredentials { _ in throw error }])
    let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
    #expect(status?.code == code && status?.certainty == .notProcessed)
    #expect(status?.message.contains("Broken") == false)
}
