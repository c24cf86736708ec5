/// Certificates or a key in PEM form.
public enum PEM: Sendable, Hashable {
    /// The path of a file, read when the context is made, and again when it has changed.
    case file(String)
    case bytes([UInt8])

    var path: String? { if case .file(let path) = self { path } else { nil } }
    /// For errors.
    var place: String { path ?? "PEM text" }
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

/// What a client wants to know of a server before it speaks to it.
public enum ServerVerification: Sendable, Hashable {
    /// That an authority it trusts vouches for the server under the name that was dialled.
    case authorityAndName
    /// Nothing: anybody in between can read and change everything. For trying things out by hand.
    case none
}

/// TLS 1.2 or newer, forward secrecy and authenticated encryption only, no renegotiation, compression or resumption.
public struct TLSServerConfiguration: Sendable, Hashable {
    public var identity: TLSIdentity
    /// The authorities that clients' certificates must come from; needed unless `clientCertificates` is `none`.
    public var trustRoots: PEM?
    /// Certificates that count no more, by lists of every authority in a client's chain, roots included: a client is
    /// refused also when the list of one is missing or out of date. Nil revokes nothing.
    public var revocationList: PEM?
    public var clientCertificates: ClientCertificates
    /// When set, a client's certificate must have one of these DNS names or URIs as alternative name. Exact, no
    /// wildcards; DNS names without regard to case.
    public var allowedClients: Set<String>?
    /// Required by ALPN, of both sides.
    public var applicationProtocol: String

    public init(
        identity: TLSIdentity, trustRoots: PEM? = nil, revocationList: PEM? = nil,
        clientCertificates: ClientCertificates = .none, allowedClients: Set<String>? = nil,
        applicationProtocol: String = "h2"
    ) {
        self.identity = identity
        self.trustRoots = trustRoots
        self.revocationList = revocationList
        self.clientCertificates = clientCertificates
        self.allowedClients = allowedClients
        self.applicationProtocol = applicationProtocol
    }
}

/// See `TLSServerConfiguration`. The server's certificate is verified, name included, unless `verification` is `none`.
public struct TLSClientConfiguration: Sendable, Hashable {
    /// Shown when the server asks.
    public var identity: TLSIdentity?
    /// The authorities that the server's certificate must come from; nil takes the system's.
    public var trustRoots: PEM?
    /// See `TLSServerConfiguration`.
    public var revocationList: PEM?
    /// The name to ask for and to expect, instead of the host that is dialled.
    public var serverName: String?
    /// When set, the server's certificate must also have one of these DNS names or URIs.
    public var allowedServers: Set<String>?
    /// With `none`, there must be no `trustRoots`, `revocationList` and `allowedServers`, which would mean nothing.
    public var verification: ServerVerification
    public var applicationProtocol: String

    public init(
        identity: TLSIdentity? = nil, trustRoots: PEM? = nil, revocationList: PEM? = nil, serverName: String? = nil,
        allowedServers: Set<String>? = nil, verification: ServerVerification = .authorityAndName,
        applicationProtocol: String = "h2"
    ) {
        self.identity = identity
        self.trustRoots = trustRoots
        self.revocationList = revocationList
        self.serverName = serverName
        self.allowedServers = allowedServers
        self.verification = verification
        self.applicationProtocol = applicationProtocol
    }
}
