import Synchronization
import TLS
import TestSupport
import Testing

/// What a context has told about its files.
private final class Reloads: Sendable {
    private let seen = Mutex<[TLSContext.Reload]>([])
    var all: [TLSContext.Reload] { seen.withLock { $0 } }
    func note(_ reload: TLSContext.Reload) { seen.withLock { $0.append(reload) } }
}

/// A server whose files can be exchanged; it looks at them whenever a connection begins.
private struct ChangingServer {
    let authority: TestAuthority
    let first: TestAuthority.Issued
    let second: TestAuthority.Issued
    let folder = Result { try CertificateFolder() }
    let reloads = Reloads()
    let context: TLSContext

    init(settlingTime: Duration = .zero) throws {
        authority = try TestAuthority()
        first = try authority.issue("first", alternativeNames: ["DNS:server.test"])
        second = try authority.issue("second", alternativeNames: ["DNS:server.test"])
        let folder = try folder.get()
        try folder.install(first)
        try folder.replace(folder.roots, with: [authority.root])
        context = try TLSContext(
            server: TLSServerConfiguration(
                identity: TLSIdentity(certificateChain: .file(folder.certificate), privateKey: .file(folder.key)),
                trustRoots: .file(folder.roots), clientCertificates: .required),
            checks: .init(interval: .zero, settlingTime: settlingTime), onReload: reloads.note)
    }

    /// The common name that a new connection sees, or why there is none.
    func name(to client: TestAuthority.Issued? = nil) throws -> Result<String, TLSError> {
        let client = try TLSEngine(
            try TLSContext(
                client: TLSClientConfiguration(
                    identity: identity(client ?? second), trustRoots: .file(authority.root))),
            serverName: "server.test")
        let errors = shakeHands(client, try TLSEngine(context))
        if let error = errors.server ?? errors.client { return .failure(error) }
        return .success(client.peerCertificate?.commonName ?? "")
    }
}

@Test func aNewPairIsTakenWhenItIsComplete() throws {
    let server = try ChangingServer()
    let folder = try server.folder.get()
    #expect(try server.name() == .success("first") && server.reloads.all == [])
    // The certificate without its key changes nothing, and is told once.
    try folder.replace(folder.certificate, with: [server.second.certificate])
    #expect(try server.name() == .success("first"))
    #expect(try server.name() == .success("first"))
    guard case .refused(.configuration(let reason)) = server.reloads.all.first, server.reloads.all.count == 1 else {
        Issue.record("\(server.reloads.all)")
        return
    }
    #expect(reason.contains("key values mismatch"))
    try folder.replace(folder.key, with: [server.second.key])
    #expect(try server.name() == .success("second") && server.reloads.all.last == .taken)
    #expect(try server.name() == .success("second") && server.reloads.all.count == 2)
}

@Test(
    arguments: [\CertificateFolder.certificate, \.key, \.roots] as [any KeyPath<CertificateFolder, String> & Sendable])
func aHalfWrittenFileChangesNothing(_ file: any KeyPath<CertificateFolder, String> & Sendable) throws {
    let server = try ChangingServer()
    let folder = try server.folder.get()
    let whole = [
        folder.certificate: server.first.certificate, folder.key: server.first.key, folder.roots: server.authority.root,
    ]
    let source = try #require(whole[folder[keyPath: file]])
    try folder.writeHalf(of: source, to: folder[keyPath: file])
    #expect(try server.name() == .success("first"))
    guard case .refused = server.reloads.all.first else {
        Issue.record("\(server.reloads.all)")
        return
    }
    try folder.replace(folder[keyPath: file], with: [source])
    #expect(try server.name() == .success("first") && server.reloads.all.last == .taken)
}

@Test func anAuthorityCutInTheSecondCertificateChangesNothing() throws {
    let server = try ChangingServer()
    let folder = try server.folder.get()
    let other = try TestAuthority()
    // All of one authority and half of another.
    try folder.replace(folder.roots, with: [other.root, server.authority.root])
    #expect(try server.name() == .success("first") && server.reloads.all == [.taken])
    try folder.writeHalf(of: server.authority.root, to: "\(folder.path)/half")
    try folder.replace(folder.roots, with: [other.root, "\(folder.path)/half"])
    #expect(try server.name() == .success("first") && server.reloads.all.count == 2)
}

@Test func whatWasChangedJustNowIsLeftAlone() throws {
    let server = try ChangingServer(settlingTime: .seconds(3600))
    try server.folder.get().install(server.second)
    #expect(try server.name() == .success("first") && server.reloads.all == [])
}

@Test func aRemovedAuthorityIsTrustedNoMore() throws {
    let server = try ChangingServer()
    let folder = try server.folder.get()
    let other = try TestAuthority()
    let stranger = try other.issue("stranger", alternativeNames: ["DNS:x"])
    guard case .failure(.certificate) = try server.name(to: stranger) else {
        Issue.record("a stranger was accepted")
        return
    }
    try folder.replace(folder.roots, with: [server.authority.root, other.root])
    #expect(try server.name(to: stranger) == .success("first"))
    try folder.replace(folder.roots, with: [server.authority.root])
    guard case .failure(.certificate) = try server.name(to: stranger) else {
        Issue.record("the authority is still trusted")
        return
    }
    #expect(try server.name() == .success("first"))
}
