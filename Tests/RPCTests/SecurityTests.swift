import RPC
import RPCCore
import TLS
import TestSupport
import Testing

@Test func aCallOverMutualTLSKnowsItsPeer() async throws {
    let certificates = try Certificates.shared.get()
    try await Fixture.run(
        serverTLS: try certificates.serverContext(allowed: ["spiffe://test/client"]),
        clientTLS: try certificates.clientContext(certificates.client)
    ) { fixture in
        let peer = try await fixture.channel.unary(Methods.echo, "peer?")
        #expect(peer == "[\"client.test\"]")
        let large = String(repeating: "0123456789", count: 400_000)
        let answer = try await fixture.channel.unary(Methods.echo, large)
        #expect(answer == large)
    }
}

@Test func tlsOverAUnixSocket() async throws {
    let certificates = try Certificates.shared.get()
    try await Fixture.run(
        at: .unix(path: "/tmp/meridian-rpc-\(UInt32.random(in: .min ... .max)).sock"),
        serverTLS: try certificates.serverContext(), clientTLS: try certificates.clientContext(certificates.client)
    ) { fixture in
        let answer = try await fixture.channel.unary(Methods.echo, "hello")
        #expect(answer == "hello")
    }
}

/// The call fails before anything was processed, and the text names the cause.
private func refusal(server: TLSContext?, client: TLSContext?) async throws -> Status? {
    try await Fixture.run(serverTLS: server, clientTLS: client) { fixture in
        await #expect(throws: Status.self) { try await fixture.channel.unary(Methods.echo, "hello") }
    }
}

@Test func aClientWithoutCertificateIsRefused() async throws {
    let certificates = try Certificates.shared.get()
    let status = try await refusal(
        server: try certificates.serverContext(), client: try certificates.clientContext(nil))
    #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
}

@Test func aClientThatIsNotOnTheListIsRefused() async throws {
    let certificates = try Certificates.shared.get()
    let status = try await refusal(
        server: try certificates.serverContext(allowed: ["spiffe://test/other"]),
        client: try certificates.clientContext(certificates.client))
    #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
}

@Test func aServerOfAnotherNameIsRefused() async throws {
    let certificates = try Certificates.shared.get()
    let status = try await refusal(
        server: try certificates.serverContext(),
        client: try certificates.clientContext(certificates.client, name: "other.test"))
    #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
    #expect(status?.message.contains("certificate") == true, "\(String(describing: status))")
}

@Test func aServerOfAnotherAuthorityIsRefused() async throws {
    let certificates = try Certificates.shared.get()
    let stranger = try TestAuthority()
    let client = try TLSContext(
        client: TLSClientConfiguration(identity: certificates.client, trustRoots: .file(stranger.root)))
    let status = try await refusal(server: try certificates.serverContext(), client: client)
    #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
}

@Test func plainAndSecureDoNotMix() async throws {
    let certificates = try Certificates.shared.get()
    let first = try await refusal(server: try certificates.serverContext(), client: nil)
    #expect(first?.code == .unavailable && first?.certainty == .notProcessed)
    let second = try await refusal(server: nil, client: try certificates.clientContext(certificates.client))
    #expect(second?.code == .unavailable && second?.certainty == .notProcessed)
}
