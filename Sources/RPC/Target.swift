public import EventLoop

/// What a client channel leads to: addresses, or a name whose addresses a resolver finds.
///
/// Source: gRPC, "gRPC Name Resolution". The names of DNS servers (`dns://server/host`) are not supported.
public struct Target: Sendable, CustomStringConvertible {
    enum Source: Sendable {
        case fixed([SocketAddress])
        case resolved(any AddressResolver)
    }

    let source: Source
    /// What goes into `:authority`.
    let authority: String
    /// What the server's certificate names; nil stands for the address that is connected to.
    private let name: String?
    /// The one place that this is, if it says so by itself.
    let endpoint: Endpoint?
    /// The text it was read from, with its scheme.
    public let description: String

    /// Used when a name or number has no port.
    public static let defaultPort: UInt16 = 443

    /// Reads `host[:port]`, `dns:[///]host[:port]`, `ipv4:a.b.c.d[:port],…`, `ipv6:[…]:port,…`, `unix:path`,
    /// `unix:///path` or `unix-abstract:name`.
    public init(_ text: String) throws(TargetError) {
        let (scheme, rest) = Self.split(text)
        switch scheme {
        case "unix":
            let path = Self.text(rest, after: "//") ?? rest
            guard path.utf8.first == UInt8(ascii: "/") || path == rest else {
                throw TargetError(text, "the path after unix:// is absolute: unix:///path")
            }
            guard !path.isEmpty else { throw TargetError(text, "the path is missing") }
            self.init(Endpoint.unix(path: String(path)))
        case "unix-abstract":
            guard !rest.isEmpty else { throw TargetError(text, "the name is missing") }
            self.init(Endpoint.abstract(name: String(rest)))
        case "ipv4", "ipv6":
            var addresses: [SocketAddress] = []
            var hasPorts = true
            for part in rest.split(separator: ",", omittingEmptySubsequences: false) {
                let (host, port) = try Self.hostAndPort(part, in: text)
                hasPorts = hasPorts && port != nil
                let address = SocketAddress(numericHost: host, port: port ?? Self.defaultPort)
                switch address {
                case .ipv4(let host, let port) where scheme == "ipv4": addresses.append(.ipv4(host: host, port: port))
                case .ipv6(let host, let port) where scheme == "ipv6": addresses.append(.ipv6(host: host, port: port))
                default: throw TargetError(text, "\"\(part)\" is no \(scheme) address")
                }
            }
            self.init(
                source: .fixed(addresses), authority: Endpoint(addresses[0]).description, name: nil,
                endpoint: addresses.count == 1 && hasPorts ? Endpoint(addresses[0]) : nil, description: text)
        default:
            var name = rest
            if let authority = Self.text(rest, after: "//") {
                guard let path = Self.text(authority, after: "/") else {
                    throw TargetError(text, "a DNS server of its own is not supported: dns:///host:port")
                }
                name = path
            }
            let (host, port) = try Self.hostAndPort(name, in: text)
            let endpoint = Endpoint.tcp(host: host, port: port ?? Self.defaultPort)
            self.init(endpoint, isWhole: port != nil)
        }
    }

    public init(_ endpoint: Endpoint) { self.init(endpoint, isWhole: true) }

    /// A list of addresses that never changes.
    ///
    /// - Parameter authority: for `:authority` and the server's certificate; nil takes them from the addresses.
    public init(addresses: [SocketAddress], authority: String? = nil) {
        self.init(
            source: .fixed(addresses), authority: authority ?? addresses.first.map(Self.authority) ?? "localhost",
            name: authority.map(Self.host), endpoint: nil,
            description: addresses.map(\.description).joined(separator: ","))
    }

    /// A name that `resolver` turns into addresses; it may change them at any time.
    ///
    /// - Parameter name: for `:authority`, for the server's certificate and in messages: `host` or `host:port`.
    public init(name: String, resolver: any AddressResolver) {
        self.init(
            source: .resolved(resolver), authority: name, name: Self.host(name), endpoint: nil, description: name)
    }

    private init(_ endpoint: Endpoint, isWhole: Bool) {
        let source: Source
        let address: SocketAddress?
        switch endpoint {
        case .tcp(let host, let port): address = SocketAddress(numericHost: host, port: port)
        case .unix(let path): address = .unix(path: path)
        case .abstract(let name): address = .abstract(name: name)
        }
        if let address {
            source = .fixed([address])
        } else {
            source = .resolved(EndpointResolver(endpoint: endpoint))
        }
        var name: String?
        if case .tcp(let host, _) = endpoint { name = host }
        self.init(
            source: source, authority: name == nil ? "localhost" : endpoint.description, name: name,
            endpoint: isWhole ? endpoint : nil, description: address?.description ?? "dns:\(endpoint)")
    }

    private init(source: Source, authority: String, name: String?, endpoint: Endpoint?, description: String) {
        self.source = source
        self.authority = authority
        self.name = name
        self.endpoint = endpoint
        self.description = description
    }

    /// What the certificate of the server at `address` is expected to name.
    func serverName(at address: SocketAddress) -> String { name ?? Self.host(Self.authority(address)) }

    private static func authority(_ address: SocketAddress) -> String {
        switch address {
        case .ipv4, .ipv6: Endpoint(address).description
        case .unix, .abstract: "localhost"
        }
    }

    private static func host(_ authority: String) -> String {
        (try? hostAndPort(authority[...], in: authority).host) ?? authority
    }

    // MARK: Reading

    private static let schemes = ["dns", "ipv4", "ipv6", "unix", "unix-abstract"]

    private static func split(_ text: String) -> (scheme: String, rest: Substring) {
        for scheme in schemes {
            if let rest = Self.text(text[...], after: scheme + ":") { return (scheme, rest) }
        }
        return ("dns", text[...])
    }

    /// Nil when `text` does not begin with `prefix`. By bytes: an accent may follow a colon, and make one character of
    /// both.
    private static func text(_ text: Substring, after prefix: String) -> Substring? {
        guard text.utf8.starts(with: prefix.utf8) else { return nil }
        return Substring(text.utf8.dropFirst(prefix.utf8.count))
    }

    /// What names and numbers are made of; the zone of an IPv6 number follows a percent sign.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: ":"), UInt8(ascii: "%"):
            true
        default: false
        }
    }

    /// `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 number.
    private static func hostAndPort(
        _ part: Substring, in text: String
    ) throws(TargetError) -> (host: String, port: UInt16?) {
        var host = part
        var port: Substring?
        if part.hasPrefix("["), let end = part.firstIndex(of: "]") {
            host = part[part.index(after: part.startIndex)..<end]
            let rest = part[part.index(after: end)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":") else { throw TargetError(text, "only a port follows the bracket") }
                port = rest.dropFirst()
            }
        } else if let colon = part.firstIndex(of: ":"), !part[part.index(after: colon)...].contains(":") {
            host = part[..<colon]
            port = part[part.index(after: colon)...]
        } else if part.contains(":"), SocketAddress(numericHost: String(part), port: 0) == nil {
            throw TargetError(text, "\"\(part)\" is neither host:port nor an address")
        }
        guard !host.isEmpty, host.utf8.allSatisfy(Self.isHostByte) else {
            throw TargetError(text, "\"\(host)\" is no host")
        }
        guard let port else { return (String(host), nil) }
        guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(port) else {
            throw TargetError(text, "\"\(port)\" is no port")
        }
        return (String(host), number)
    }
}

/// A text that names no target.
public struct TargetError: Error, Hashable, CustomStringConvertible {
    public let text: String
    public let problem: String

    init(_ text: String, _ problem: String) {
        self.text = text
        self.problem = problem
    }

    public var description: String { "target \"\(text)\": \(problem)" }
}
