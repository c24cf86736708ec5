public import EventLoop

/// Where a server is reached, or listens: a name or number with a port, or a unix socket.
public enum Endpoint: Hashable, Sendable, CustomStringConvertible {
    case tcp(host: String, port: UInt16)
    case unix(path: String)

    /// Reads `host:port`, `dns:host:port`, `ipv4:a.b.c.d:port`, `ipv6:[...]:port` or `unix:path`; nil for anything else.
    public init?(_ text: String) {
        if let path = text.suffix(after: "unix://") ?? text.suffix(after: "unix:") {
            guard !path.isEmpty else { return nil }
            self = .unix(path: String(path))
            return
        }
        let rest =
            text.suffix(after: "dns:///") ?? text.suffix(after: "dns:") ?? text.suffix(after: "ipv4:")
            ?? text.suffix(after: "ipv6:") ?? text[...]
        guard let colon = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: colon)...]) else {
            return nil
        }
        var host = rest[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self = .tcp(host: String(host), port: port)
    }

    public init(_ address: SocketAddress) {
        switch address {
        case .ipv4(let host, let port), .ipv6(let host, let port): self = .tcp(host: host, port: port)
        case .unix(let path): self = .unix(path: path)
        }
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port): "\(bracketed(host)):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// What goes into `:authority`; the port is left out for a unix socket.
    var authority: String {
        switch self {
        case .tcp: description
        case .unix: "localhost"
        }
    }

    /// What the server's certificate is expected to name.
    var host: String {
        switch self {
        case .tcp(let host, _): host
        case .unix: "localhost"
        }
    }

    private func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

    func addresses() async throws -> [SocketAddress] {
        switch self {
        case .tcp(let host, let port): try await NameResolver.addresses(of: host, port: port)
        case .unix(let path): [.unix(path: path)]
        }
    }
}

extension String {
    fileprivate func suffix(after prefix: String) -> Substring? { hasPrefix(prefix) ? dropFirst(prefix.count) : nil }
}
