import EventLoop
import RPC
import RPCCore
import TLS
import TestSupport
import Testing

private func context(
    server folder: CertificateFolder, revocationList: PEM? = nil,
    onReload: @escaping @Sendable (TLSContext.Reload) -> Void
) throws -> TLSContext {
    try TLSContext(
        server: TLSServerConfiguration(
            identity: TLSIdentity(certificateChain: .file(folder.certificate), privateKey: .file(folder.key)),
            trustRoots: .file(folder.roots), revocationList: revocationList, clientCertificates: .required),
        checks: .init(interval: .zero, settlingTime: .zero), onReload: onReload)
}

/// One call over a connection of its own.
private func call(_ fixture: Fixture, _ tls: TLSContext) async throws -> String {
    let channel = RPCClientChannel(target: Endpoint(fixture.address), tls: tls, group: fixture.group)
    do {
        let answer = try await channel.unary(Methods.echo, "hello", options: CallOptions(timeout: .seconds(10)))
        await channel.shutDown()
        return answer
    } catch {
        await channel.shutDown()
        throw error
    }
}

@Test func certificatesAreExchangedUnderLoadWithoutLosingACall() async throws {
    let authority = try TestAuthority()
    let folder = try CertificateFolder()
    let issued = try (0..<6).map {
        try authority.issue("server-\($0)", alternativeNames: ["IP:127.0.0.1", "DNS:s\($0)"])
    }
    try folder.install(issued[0])
    try folder.replace(folder.roots, with: [authority.root])
    let client = identity(try authority.issue("client", alternativeNames: ["DNS:client.test"]))
    func clientContext(expecting name: String? = nil) throws -> TLSContext {
        try TLSContext(
            client: TLSClientConfiguration(
                identity: client, trustRoots: .file(authority.root), allowedServers: name.map { [$0] }))
    }
    let taken = Counter()
    let server = try context(server: folder) { if $0 == .taken { taken.increment() } }
    try await Fixture.run(serverTLS: server, clientTLS: try clientContext()) { fixture in
        // The connection that is there before, and stays.
        let isOver = Counter()
        let calls = Counter()
        try await withThrowingTaskGroup { tasks in
            for number in 0..<4 {
                let tls = try clientContext()
                tasks.addTask {
                    while isOver.value == 0 {
                        let answer =
                            number == 0
                            ? try await fixture.channel.unary(Methods.echo, "hello") : try await call(fixture, tls)
                        #expect(answer == "hello")
                        calls.increment()
                    }
                }
            }
            for number in 1..<issued.count {
                try folder.install(issued[number])
                // Whoever connects now sees this certificate and no other.
                let answer = try await call(fixture, try clientContext(expecting: "s\(number)"))
                #expect(answer == "hello")
                await #expect(throws: Status.self) {
                    try await call(fixture, try clientContext(expecting: "s\(number - 1)"))
                }
            }
            isOver.increment()
            try await tasks.waitForAll()
        }
        #expect(taken.value == issued.count - 1 && calls.value >= 4)
    }
}

@Test func aClientIsRefusedFromItsRevocationOn() async throws {
    let authority = try TestAuthority()
    let folder = try CertificateFolder()
    try folder.install(try authority.issue("server", alternativeNames: ["IP:127.0.0.1"]))
    try folder.replace(folder.roots, with: [authority.root])
    try folder.replace(folder.revocations, with: [try authority.revocationList()])
    let bad = try authority.issue("bad", alternativeNames: ["DNS:bad.test"])
    let good = try authority.issue("good", alternativeNames: ["DNS:good.test"])
    func clientContext(_ issued: TestAuthority.Issued) throws -> TLSContext {
        try TLSContext(
            client: TLSClientConfiguration(identity: identity(issued), trustRoots: .file(authority.root)))
    }
    let server = try context(server: folder, revocationList: .file(folder.revocations)) { _ in }
    // One loop, so that the channel keeps to one connection.
    try await Fixture.run(loops: 1, serverTLS: server, clientTLS: try clientContext(bad)) { fixture in
        let before = try await fixture.channel.unary(Methods.echo, "before")
        #expect(before == "before")
        try folder.replace(folder.revocations, with: [try authority.revocationList([bad])])
        let refusal = await #expect(throws: Status.self) { try await call(fixture, try clientContext(bad)) }
        #expect(refusal?.message.contains("certificate revoked") == true && refusal?.code == .unavailable)
        let other = try await call(fixture, try clientContext(good))
        #expect(other == "hello")
        // A connection that is there lives on.
        let after = try await fixture.channel.unary(Methods.echo, "after")
        #expect(after == "after")
    }
}

private func identity(_ issued: TestAuthority.Issued) -> TLSIdentity {
    TLSIdentity(certificateChain: .file(issued.certificate), privateKey: .file(issued.key))
}
