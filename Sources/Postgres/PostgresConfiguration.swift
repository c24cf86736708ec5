internal import CLibpq
internal import Glibc

/// Where the server is and who we are: the keywords of libpq's connection string.
///
/// Source: libpq manual, "Parameter Key Words". The description leaves the password out.
public struct PostgresConfiguration: Hashable, Sendable, CustomStringConvertible {
    /// Keyword and value, as libpq takes them.
    private(set) var keywords: [String: String]

    /// - Parameters:
    ///   - host: the directory of a Unix-domain socket (starts with `/`), an IP address, or a name.
    ///   - settings: run-time parameters of the server for each connection, such as `search_path`.
    public init(
        host: String, port: UInt16 = 5432, user: String, password: String? = nil, database: String,
        applicationName: String = "meridian", settings: [String: String] = [:]
    ) {
        keywords = [
            "host": host, "port": "\(port)", "user": user, "dbname": database, "application_name": applicationName,
        ]
        keywords["password"] = password
        if !settings.isEmpty {
            keywords["options"] = settings.sorted { $0.key < $1.key }
                .map { "-c \($0.key)=\(Self.escapedOption($0.value))" }.joined(separator: " ")
        }
    }

    /// Reads a connection string, either `host=… dbname=…` or `postgresql://user@host/database`.
    public init(connectionInfo: String) throws(PostgresError) {
        guard !connectionInfo.utf8.contains(0), let options = unsafe PQconninfoParse(connectionInfo, nil) else {
            // The text is not repeated: it may hold a password.
            throw PostgresError(.invalidConfiguration, "the connection string cannot be parsed")
        }
        defer { unsafe PQconninfoFree(options) }
        keywords = [:]
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe keywords[String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
    }

    public var host: String { keywords["host"] ?? "" }
    /// 5432 unless given. With several hosts, the port of the first.
    public var port: UInt16 { keywords["port"].flatMap { UInt16($0.prefix { $0 != "," }) } ?? 5432 }
    public var database: String { keywords["dbname"] ?? "" }
    public var user: String { keywords["user"] ?? "" }

    /// The same server and user, another database.
    public func with(database: String) -> PostgresConfiguration {
        var copy = self
        copy.keywords["dbname"] = database
        return copy
    }

    public var description: String {
        keywords.sorted { $0.key < $1.key }
            .map { key, value in "\(key)=\(["password", "sslpassword"].contains(key) ? "…" : value)" }
            .joined(separator: " ")
    }

    /// Whether a host has to be looked up, which blocks.
    var needsNameLookUp: Bool {
        keywords["hostaddr"] == nil && hosts.contains { !$0.isEmpty && !$0.hasPrefix("/") && !Self.isAddress($0) }
    }

    /// The keywords with each host name looked up. Blocks: call it on a `BlockingPool`.
    func lookingUpNames() throws(PostgresError) -> PostgresConfiguration {
        var addresses: [String] = []
        for host in hosts {
            if host.isEmpty || host.hasPrefix("/") {
                addresses.append("")
            } else {
                addresses.append(try Self.address(of: host))
            }
        }
        var copy = self
        copy.keywords["hostaddr"] = addresses.joined(separator: ",")
        return copy
    }

    private var hosts: [String] {
        host.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    private static func isAddress(_ host: String) -> Bool {
        unsafe withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { buffer in
            unsafe inet_pton(AF_INET, host, buffer.baseAddress!) == 1
                || inet_pton(AF_INET6, host, buffer.baseAddress!) == 1
        }
    }

    private static func address(of host: String) throws(PostgresError) -> String {
        guard !isAddress(host) else { return host }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &list)
        guard code == 0, let first = unsafe list else {
            throw PostgresError(.unavailable, "host \(host): \(unsafe String(cString: gai_strerror(code)))")
        }
        defer { unsafe freeaddrinfo(first) }
        return try unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) {
            buffer throws(PostgresError) in
            let code = unsafe getnameinfo(
                first.pointee.ai_addr, first.pointee.ai_addrlen, buffer.baseAddress!, socklen_t(buffer.count), nil, 0,
                NI_NUMERICHOST)
            guard code == 0 else {
                throw PostgresError(.unavailable, "host \(host): \(unsafe String(cString: gai_strerror(code)))")
            }
            return unsafe String(cString: buffer.baseAddress!)
        }
    }

    /// Spaces and backslashes of a value inside `options` are escaped by a backslash.
    private static func escapedOption(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            if character == " " || character == "\\" { text.append("\\") }
            text.append(character)
        }
    }
}
