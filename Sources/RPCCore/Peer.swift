/// The other end of a connection.
public struct Peer: Sendable, Hashable {
    /// `ipv4:192.0.2.1:50051`, `ipv6:[2001:db8::1]:50051`, `unix:/run/x.sock` or `in-process`.
    public let address: String
    /// Who it is by its verified certificate; nil without mutual TLS.
    public let identity: PeerIdentity?

    public init(address: String, identity: PeerIdentity? = nil) {
        self.address = address
        self.identity = identity
    }
}

/// The names in a certificate that the TLS handshake has verified.
public struct PeerIdentity: Sendable, Hashable {
    /// The common name of the subject, or empty.
    public let commonName: String
    /// The DNS names among the subject's alternative names.
    public let dnsNames: [String]
    /// The URIs among the subject's alternative names, such as SPIFFE ids.
    public let uris: [String]

    public init(commonName: String, dnsNames: [String] = [], uris: [String] = []) {
        self.commonName = commonName
        self.dnsNames = dnsNames
        self.uris = uris
    }
}
