/// Certificates or a key in PEM form.
public enum PEM: Sendable, Hashable {
    /// The path of a file, read when the context is made.
    case file(String)
    case bytes([UInt8])
}

/// What a side shows of itself: its certificate, with intermediates after it, and the key to it.
public struct TLSIdentity: Sendable, Hashable {
    public var certificateChain: PEM
    public var privateKey: PEM

    public init(certificateChain: PEM, privateKey: PEM) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
    }
}

/// Whether a server asks clients for a certificate.
public enum ClientCertificates: Sendable, Hashable {
    case none
    /// Verified when there is one.
    case optional
    case required
}

/// TLS 1.2 or newer, forward secrecy and authenticated encryption only, no renegotiation, compression or resumption.
public struct TLSServerConfiguration: Sendable, Hashable {
    public var identity: TLSIdentity
    /// The authorities that clients' certificates must come from; needed unless `clientCertificates` is `none`.
    public var trustRoots: PEM?
    public var clientCertificates: ClientCertificates
    /// When set, a client's certificate must have one of these DNS names or URIs as alternative name. Exact, no
    /// wildcards; DNS names without regard to case.
    public var allowedClients: Set<String>?
    /// Required by ALPN, of both sides.
    public var applicationProtocol: String

    public init(
        identity: TLSIdentity, trustRoots: PEM? = nil, clientCertificates: ClientCertificates = .none,
        allowedClients: Set<String>? = nil, applicationProtocol: String = "h2"
    ) {
        self.identity = identity
        self.trustRoots = trustRoots
        self.clientCertificates = clientCertificates
        self.allowedClients = allowedClients
        self.applicationProtocol = applicationProtocol
    }
}

/// See `TLSServerConfiguration`. The server's certificate is always verified, name included.
public struct TLSClientConfiguration: Sendable, Hashable {
    /// Shown when the server asks.
    public var identity: TLSIdentity?
    /// The authorities that the server's certificate must come from; nil takes the system's.
    public var trustRoots: PEM?
    /// The name to ask for and to expect, instead of the host that is dialled.
    public var serverName: String?
    /// When set, the server's certificate must also have one of these DNS names or URIs.
    public var allowedServers: Set<String>?
    public var applicationProtocol: String

    public init(
        identity: TLSIdentity? = nil, trustRoots: PEM? = nil, serverName: String? = nil,
        allowedServers: Set<String>? = nil, applicationProtocol: String = "h2"
    ) {
        self.identity = identity
        self.trustRoots = trustRoots
        self.serverName = serverName
        self.allowedServers = allowedServers
        self.applicationProtocol = applicationProtocol
    }
}
