internal import EventLoop

/// Where a Redis server is reached.
public enum RedisEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// A socket file; the path has at most 107 bytes.
    case unix(path: String)
    /// A name or a numeric address; an IPv6 address comes without brackets.
    case tcp(host: String, port: UInt16)

    /// Reads `unix:PATH`, `host:port` or `[v6]:port`; nil for anything else.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst("unix:".count)
            guard !path.isEmpty else { return nil }
            self = .unix(path: String(path))
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, port != 0 else { return nil }
        self = .tcp(host: String(host), port: port)
    }

    public var description: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// The addresses behind it, at least one, in the order in which to try them.
    func addresses() async throws -> [SocketAddress] {
        switch self {
        case .unix(let path): [.unix(path: path)]
        case .tcp(let host, let port): try await NameResolver.addresses(of: host, port: port)
        }
    }
}
