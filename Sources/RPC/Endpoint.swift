public import EventLoop

/// Where a server listens, or is reached: a name or number with a port, or a unix socket. ``Target`` names more.
public enum Endpoint: Hashable, Sendable, CustomStringConvertible {
    case tcp(host: String, port: UInt16)
    case unix(path: String)
    /// A unix socket in Linux's abstract namespace.
    case abstract(name: String)

    /// Reads what ``Target`` reads, but for lists and names without a port; nil for anything else.
    public init?(_ text: String) {
        guard let target = try? Target(text), let endpoint = target.endpoint else { return nil }
        self = endpoint
    }

    public init(_ address: SocketAddress) {
        switch address {
        case .ipv4(let host, let port), .ipv6(let host, let port): self = .tcp(host: host, port: port)
        case .unix(let path): self = .unix(path: path)
        case .abstract(let name): self = .abstract(name: name)
        }
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        // Two slashes would begin an authority.
        case .unix(let path): path.hasPrefix("//") ? "unix://\(path)" : "unix:\(path)"
        case .abstract(let name): "unix-abstract:\(name)"
        }
    }

    func addresses() async throws -> [SocketAddress] {
        switch self {
        case .tcp(let host, let port): try await NameResolver.addresses(of: host, port: port)
        case .unix(let path): [.unix(path: path)]
        case .abstract(let name): [.abstract(name: name)]
        }
    }
}
