internal import Glibc

/// A name that could not be turned into addresses.
public struct NameError: Error, Hashable, CustomStringConvertible {
    public let host: String
    /// The resolver's text, such as "Name or service not known".
    public let reason: String

    public var description: String { "\(host): \(reason)" }
}

/// The system's name lookup (getaddrinfo: hosts file, DNS), on the blocking pool.
public enum NameResolver {
    /// The stream addresses of `host` in the order of preference of the system (RFC 6724), at least one.
    public static func addresses(
        of host: String, port: UInt16, on pool: BlockingPool = .shared
    ) async throws -> [SocketAddress] {
        if let numeric = SocketAddress(numericHost: host, port: port) { return [numeric] }
        return try await pool.run { Result { () throws(NameError) in try lookUp(host, port) } }.get()
    }

    private static func lookUp(_ host: String, _ port: UInt16) throws(NameError) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { throw NameError(host: host, reason: unsafe String(cString: gai_strerror(code))) }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            unsafe next = entry.pointee.ai_next
            guard let address = unsafe entry.pointee.ai_addr else { continue }
            var storage = sockaddr_storage()
            let length = unsafe min(Int(entry.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
            unsafe withUnsafeMutableBytes(of: &storage) {
                unsafe $0.copyMemory(from: .init(start: address, count: length))
            }
            if let address = SocketAddress(kernelForm: storage, length: socklen_t(length)) { addresses.append(address) }
        }
        guard !addresses.isEmpty else { throw NameError(host: host, reason: "no usable address") }
        return addresses
    }
}
