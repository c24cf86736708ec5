import TLS

/// The folder that `Certs/generate` filled, and who may speak to whom: every link is TLS with both sides named.
struct Certificates: Sendable {
    let folder: String

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
                clientCertificates: callers == nil ? .none : .required,
                allowedClients: callers.map { Set($0.map(Self.uri)) }))
    }

    /// - Parameter name: who calls: a service, or "operator".
    func client(as name: String, to peer: ServiceName) throws -> TLSContext {
        try TLSContext(
            client: TLSClientConfiguration(
                identity: identity(name), trustRoots: .file("\(folder)/ca.pem"), serverName: peer.rawValue,
                allowedServers: [Self.uri(peer.rawValue)]))
    }

    private func identity(_ name: String) -> TLSIdentity {
        TLSIdentity(certificateChain: .file("\(folder)/\(name).pem"), privateKey: .file("\(folder)/\(name).key"))
    }
}
