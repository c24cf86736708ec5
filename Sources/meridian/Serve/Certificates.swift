import TLS

/// The folder that `Certs/generate` filled, and who may speak to whom: every link is TLS with both sides named.
///
/// Files that change there take effect for new connections: see `TLSContext`.
struct Certificates: Sendable {
    let folder: String
    /// A PEM file with the revocation lists of every authority in a chain; nil revokes nothing.
    var revocationList: String?
    /// Told what became of changed files, and which side of which link has read them.
    var onReload: @Sendable (_ link: String, TLSContext.Reload) -> Void = { _, _ in }

    /// The name in a service's certificate that the other side checks.
    static func uri(_ name: String) -> String { "spiffe://meridian/\(name)" }

    /// Whose certificates a service lets in. The door takes customers, who show tokens and no certificates.
    static func callers(of service: ServiceName) -> [String]? {
        switch service {
        case .channel: nil
        case .trading: ["channel", "operator"]
        case .brokerGateway: ["trading", "operator"]
        case .fillReceiver: ["operator"]
        case .accountKRW, .accountFX: ["channel", "trading", "fx", "operator"]
        case .fx: ["trading", "operator"]
        case .mockBroker: ["broker-gateway", "fill-receiver", "operator"]
        }
    }

    func server(_ service: ServiceName, callers: [String]?) throws -> TLSContext {
        try TLSContext(
            server: TLSServerConfiguration(
                identity: identity(service.rawValue), trustRoots: .file("\(folder)/ca.pem"),
                revocationList: revocationList.map { .file($0) },
                clientCertificates: callers == nil ? .none : .required,
                allowedClients: callers.map { Set($0.map(Self.uri)) })
        ) { [onReload] in onReload("server", $0) }
    }

    /// - Parameter name: who calls: a service, or "operator".
    func client(as name: String, to peer: ServiceName) throws -> TLSContext {
        try TLSContext(
            client: TLSClientConfiguration(
                identity: identity(name), trustRoots: .file("\(folder)/ca.pem"),
                revocationList: revocationList.map { .file($0) }, serverName: peer.rawValue,
                allowedServers: [Self.uri(peer.rawValue)])
        ) { [onReload] in onReload("client of \(peer.rawValue)", $0) }
    }

    private func identity(_ name: String) -> TLSIdentity {
        TLSIdentity(certificateChain: .file("\(folder)/\(name).pem"), privateKey: .file("\(folder)/\(name).key"))
    }
}
