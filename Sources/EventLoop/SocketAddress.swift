internal import CLinux
internal import Glibc

/// Where a stream socket listens or connects: no names, only what the kernel understands.
public enum SocketAddress: Hashable, Sendable {
    /// `host` in dotted notation.
    case ipv4(host: String, port: UInt16)
    /// `host` in colon notation, without brackets; a scope may follow a percent sign.
    case ipv6(host: String, port: UInt16)
    /// A path of at most 107 bytes; empty for a peer that is bound to none.
    case unix(path: String)
    /// A name in Linux's abstract namespace, without its leading NUL: at most 107 bytes, no file, no permissions.
    case abstract(name: String)

    /// An address of the internet families; nil when `host` is not a numeric address.
    public init?(numericHost host: String, port: UInt16) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if unsafe inet_pton(AF_INET, host, &v4) == 1 {
            self = .ipv4(host: host, port: port)
        } else if unsafe inet_pton(AF_INET6, host.prefixBefore("%"), &v6) == 1 {
            self = .ipv6(host: host, port: port)
        } else {
            return nil
        }
    }

    /// The port, or nil for a unix socket.
    public var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, let port): port
        case .unix, .abstract: nil
        }
    }

    var family: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix, .abstract: AF_UNIX
        }
    }

    /// Calls `body` with the address in the kernel's form; throws when the text is no such address.
    func withKernelForm<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws(SystemError) -> Result {
        var storage = sockaddr_storage()
        let length: Int
        switch self {
        case .ipv4(let host, let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            guard unsafe inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
                throw SystemError(call: "inet_pton", code: EINVAL)
            }
            length = Self.store(address, in: &storage)
        case .ipv6(let host, let port):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            guard unsafe inet_pton(AF_INET6, host.prefixBefore("%"), &address.sin6_addr) == 1 else {
                throw SystemError(call: "inet_pton", code: EINVAL)
            }
            if let percent = host.firstIndex(of: "%") {
                address.sin6_scope_id = unsafe if_nametoindex(String(host[host.index(after: percent)...]))
            }
            length = Self.store(address, in: &storage)
        case .unix(let path): length = try Self.store(Array(path.utf8), followedByZero: true, in: &storage)
        case .abstract(let name): length = try Self.store([0] + name.utf8, followedByZero: false, in: &storage)
        }
        return unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(length)) }
        }
    }

    /// The address that a system call wrote; nil for another family.
    init?(kernelForm storage: sockaddr_storage, length: socklen_t) {
        switch Int32(storage.ss_family) {
        case AF_INET:
            let address = Self.load(sockaddr_in.self, from: storage)
            self = .ipv4(host: Self.text(of: address.sin_addr, AF_INET), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            let address = Self.load(sockaddr_in6.self, from: storage)
            self = .ipv6(host: Self.text(of: address.sin6_addr, AF_INET6), port: UInt16(bigEndian: address.sin6_port))
        case AF_UNIX:
            let count = max(0, Int(length) - MemoryLayout<sa_family_t>.size)
            let path = unsafe withUnsafeBytes(of: storage) { bytes in
                unsafe bytes.dropFirst(MemoryLayout<sa_family_t>.size).prefix(count).map(\.self)
            }
            self =
                path.first == 0
                ? .abstract(name: String(decoding: path.dropFirst(), as: UTF8.self))
                : .unix(path: String(decoding: path.prefix { $0 != 0 }, as: UTF8.self))
        default: return nil
        }
    }

    private static func store(
        _ path: [UInt8], followedByZero: Bool, in storage: inout sockaddr_storage
    ) throws(SystemError) -> Int {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = followedByZero ? path[...] : path.dropFirst()
        guard path.count < MemoryLayout.size(ofValue: address.sun_path), !name.contains(0) else {
            throw SystemError(call: "bind", code: ENAMETOOLONG)
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        _ = store(address, in: &storage)
        return MemoryLayout<sa_family_t>.size + path.count + (followedByZero ? 1 : 0)
    }

    private static func store<Address>(_ address: Address, in storage: inout sockaddr_storage) -> Int {
        unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: Address.self) }
        return MemoryLayout<Address>.size
    }

    private static func load<Address>(_ type: Address.Type, from storage: sockaddr_storage) -> Address {
        unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: type) }
    }

    private static func text<Address>(of address: Address, _ family: Int32) -> String {
        unsafe withUnsafePointer(to: address) { pointer in
            unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
                guard
                    let text = unsafe inet_ntop(family, pointer, buffer.baseAddress!, socklen_t(INET6_ADDRSTRLEN))
                else { preconditionFailure("the buffer holds any address") }
                return unsafe String(cString: text)
            }
        }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `ipv4:192.0.2.1:443`, `ipv6:[2001:db8::1]:443`, `unix:/run/x.sock` or `unix-abstract:x`, as in gRPC's names.
    public var description: String {
        switch self {
        case .ipv4(let host, let port): "ipv4:\(host):\(port)"
        case .ipv6(let host, let port): "ipv6:[\(host)]:\(port)"
        // Two slashes would begin an authority.
        case .unix(let path): path.hasPrefix("//") ? "unix://\(path)" : "unix:\(path)"
        case .abstract(let name): "unix-abstract:\(name)"
        }
    }
}

extension String {
    fileprivate func prefixBefore(_ separator: Character) -> String { String(prefix { $0 != separator }) }
}
