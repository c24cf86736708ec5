import TLS
import TestSupport
import Testing

func identity(_ issued: TestAuthority.Issued) -> TLSIdentity {
    TLSIdentity(certificateChain: .file(issued.certificate), privateKey: .file(issued.key))
}

/// Certificates for the tests, made once.
struct Setting {
    let authority: TestAuthority
    let server: TLSIdentity
    let client: TLSIdentity

    static let shared = Result { try Setting() }

    init() throws {
        authority = try TestAuthority()
        server = identity(
            try authority.issue(
                "server", alternativeNames: ["URI:spiffe://test/server", "DNS:server.test", "IP:127.0.0.1"]))
        client = identity(
            try authority.issue("client", alternativeNames: ["URI:spiffe://test/client", "DNS:client.test"]))
    }

    func serverSide(
        _ certificates: ClientCertificates = .required, allowed: Set<String>? = nil, protocolName: String = "h2"
    ) throws -> TLSEngine {
        let context = try TLSContext(
            server: TLSServerConfiguration(
                identity: server, trustRoots: .file(authority.root), clientCertificates: certificates,
                allowedClients: allowed, applicationProtocol: protocolName))
        return try TLSEngine(context)
    }

    func clientSide(
        _ identity: TLSIdentity?, roots: String? = nil, name: String = "server.test", allowed: Set<String>? = nil
    ) throws -> TLSEngine {
        let context = try TLSContext(
            client: TLSClientConfiguration(
                identity: identity, trustRoots: .file(roots ?? authority.root), allowedServers: allowed))
        return try TLSEngine(context, serverName: name)
    }
}

private func output(_ engine: TLSEngine) -> [UInt8] {
    var bytes: [UInt8] = []
    unsafe withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
        while case let count = unsafe engine.moveOutput(into: buffer), count > 0 {
            unsafe bytes.append(contentsOf: buffer[..<count])
        }
    }
    return bytes
}

private func input(_ engine: TLSEngine) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var failure: TLSError?
    unsafe withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
        do throws(TLSError) {
            while case .bytes(let count) = try unsafe engine.read(into: buffer) {
                unsafe bytes.append(contentsOf: buffer[..<count])
            }
        } catch {
            failure = error
        }
    }
    if let failure { throw failure }
    return bytes
}

private func write(_ bytes: [UInt8], to engine: TLSEngine) throws {
    let result = unsafe bytes.withUnsafeBytes { bytes in
        Result { () throws(TLSError) in try unsafe engine.write(bytes) }
    }
    try result.get()
}

/// Moves bytes both ways in pieces until both sides are established; returns what failed on either side.
func shakeHands(_ client: TLSEngine, _ server: TLSEngine, piece: Int = .max) -> (
    client: TLSError?, server: TLSError?
) {
    var errors: (client: TLSError?, server: TLSError?) = (nil, nil)
    for _ in 0..<10 {
        for fromClient in [true, false] {
            let (source, target) = fromClient ? (client, server) : (server, client)
            do throws(TLSError) {
                _ = try source.handshake()
            } catch {
                if fromClient { errors.client = errors.client ?? error } else { errors.server = errors.server ?? error }
            }
            var rest = output(source)[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(piece))
                target.receive(part.span)
                do throws(TLSError) {
                    _ = try target.handshake()
                } catch {
                    if fromClient {
                        errors.server = errors.server ?? error
                    } else {
                        errors.client = errors.client ?? error
                    }
                }
                rest = rest.dropFirst(piece)
            }
        }
    }
    return errors
}

@Test(arguments: [1, 2, 7, 100, .max]) func bytesCrossInPiecesOfEverySize(_ piece: Int) throws {
    let setting = try Setting.shared.get()
    let (client, server) = (try setting.clientSide(setting.client), try setting.serverSide())
    let errors = shakeHands(client, server, piece: piece)
    #expect(errors.client == nil && errors.server == nil)
    #expect(client.isEstablished && server.isEstablished)
    #expect(server.peerCertificate?.uris == ["spiffe://test/client"])
    #expect(server.peerCertificate?.dnsNames == ["client.test"])
    #expect(server.peerCertificate?.commonName == "client")
    #expect(client.peerCertificate?.commonName == "server")
    let message = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    try write(message, to: client)
    var received: [UInt8] = []
    var rest = output(client)[...]
    while !rest.isEmpty {
        let part = Array(rest.prefix(max(piece, 1000)))
        server.receive(part.span)
        received += try input(server)
        rest = rest.dropFirst(part.count)
    }
    #expect(received == message)
    client.close()
    server.receive(output(client).span)
    #expect(try input(server).isEmpty)
}

@Test func aClientOfAnotherAuthorityIsRefused() throws {
    let setting = try Setting.shared.get()
    let stranger = try TestAuthority()
    let other = identity(try stranger.issue("client", alternativeNames: ["DNS:client.test"]))
    let errors = shakeHands(try setting.clientSide(other), try setting.serverSide())
    guard case .certificate = errors.server else {
        Issue.record("the server accepted: \(errors)")
        return
    }
}

@Test func aServerOfAnotherAuthorityIsRefused() throws {
    let setting = try Setting.shared.get()
    let stranger = try TestAuthority()
    let errors = shakeHands(
        try setting.clientSide(setting.client, roots: stranger.root), try setting.serverSide())
    guard case .certificate = errors.client else {
        Issue.record("the client accepted: \(errors)")
        return
    }
}

@Test(arguments: ["other.test", "127.0.0.2", "test"]) func aServerOfAnotherNameIsRefused(_ name: String) throws {
    let setting = try Setting.shared.get()
    let errors = shakeHands(try setting.clientSide(setting.client, name: name), try setting.serverSide())
    guard case .certificate = errors.client else {
        Issue.record("the client accepted: \(errors)")
        return
    }
}

@Test(arguments: ["server.test", "127.0.0.1"]) func theServersNamesAreAccepted(_ name: String) throws {
    let setting = try Setting.shared.get()
    let errors = shakeHands(try setting.clientSide(setting.client, name: name), try setting.serverSide())
    #expect(errors.client == nil && errors.server == nil)
}

@Test func aMissingClientCertificateIsRefusedWhenRequired() throws {
    let setting = try Setting.shared.get()
    let errors = shakeHands(try setting.clientSide(nil), try setting.serverSide(.required))
    #expect(errors.server != nil)
    for certificates in [ClientCertificates.optional, .none] {
        let server = try setting.serverSide(certificates)
        let errors = shakeHands(try setting.clientSide(nil), server)
        #expect(errors.client == nil && errors.server == nil && server.peerCertificate == nil)
    }
}

@Test(
    arguments: [
        (["spiffe://test/client"], true), (["CLIENT.test"], true), (["spiffe://test/other", "client.test"], true),
        (["spiffe://test/other"], false), (["client"], false), ([], false), (["spiffe://TEST/client"], false),
    ] as [(Set<String>, Bool)])
func theListOfAllowedPeersDecides(_ allowed: Set<String>, _ accepted: Bool) throws {
    let setting = try Setting.shared.get()
    let server = try setting.serverSide(allowed: allowed)
    let errors = shakeHands(try setting.clientSide(setting.client), server)
    #expect((errors.server == nil) == accepted)
    #expect(server.isEstablished == accepted)
    if !accepted {
        #expect("\(errors.server, default: "")".contains("allowed"))
    }
}

@Test func aClientCanAllowServersToo() throws {
    let setting = try Setting.shared.get()
    let refused = shakeHands(
        try setting.clientSide(setting.client, allowed: ["spiffe://test/x"]), try setting.serverSide())
    #expect(refused.client != nil)
    let accepted = shakeHands(
        try setting.clientSide(setting.client, allowed: ["spiffe://test/server"]), try setting.serverSide())
    #expect(accepted.client == nil)
}

@Test func aClientThatVerifiesNothingTakesEverything() throws {
    let setting = try Setting.shared.get()
    let client = try TLSEngine(
        try TLSContext(client: TLSClientConfiguration(identity: setting.client, verification: .none)),
        serverName: "other.test")
    let errors = shakeHands(client, try setting.serverSide())
    #expect(errors.client == nil && errors.server == nil && client.isEstablished)
    for contradiction in [
        TLSClientConfiguration(trustRoots: .file(setting.authority.root), verification: .none),
        TLSClientConfiguration(revocationList: .file("x"), verification: .none),
        TLSClientConfiguration(allowedServers: ["server.test"], verification: .none),
    ] {
        #expect(throws: TLSError.self) { try TLSContext(client: contradiction) }
    }
}

@Test func anExpiredCertificateIsRefused() throws {
    let setting = try Setting.shared.get()
    let old = identity(try setting.authority.issue("client", alternativeNames: ["DNS:client.test"], days: -1))
    #expect(shakeHands(try setting.clientSide(old), try setting.serverSide()).server != nil)
}

@Test func anotherApplicationProtocolIsRefused() throws {
    let setting = try Setting.shared.get()
    let errors = shakeHands(
        try setting.clientSide(setting.client), try setting.serverSide(protocolName: "http/1.1"))
    #expect(errors.server != nil && errors.client != nil)
}

@Test func unreadableFilesAreNamed() throws {
    let setting = try Setting.shared.get()
    let missing = TLSIdentity(certificateChain: .file("/nonexistent.pem"), privateKey: setting.server.privateKey)
    let error = #expect(throws: TLSError.self) { try TLSContext(server: TLSServerConfiguration(identity: missing)) }
    #expect("\(error, default: "")".contains("/nonexistent.pem"))
    let mixed = TLSIdentity(
        certificateChain: setting.server.certificateChain, privateKey: setting.client.privateKey)
    #expect(throws: TLSError.self) { try TLSContext(server: TLSServerConfiguration(identity: mixed)) }
    let empty = TLSIdentity(certificateChain: .bytes([]), privateKey: .bytes([]))
    #expect(throws: TLSError.self) { try TLSContext(server: TLSServerConfiguration(identity: empty)) }
}

@Test func randomBytesAreAnErrorAndNeverTrap() throws {
    let setting = try Setting.shared.get()
    for _ in 0..<200 {
        let server = try setting.serverSide()
        let noise = (0..<300).map { _ in UInt8.random(in: 0...255) }
        server.receive(noise.span)
        do throws(TLSError) {
            _ = try server.handshake()
        } catch {
            #expect(!server.isEstablished)
        }
        _ = output(server)
    }
}
