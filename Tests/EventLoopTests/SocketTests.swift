import EventLoop
import Glibc
import Testing

@Test(arguments: [
    ("127.0.0.1", "ipv4:127.0.0.1:80"), ("::1", "ipv6:[::1]:80"), ("2001:db8::1", "ipv6:[2001:db8::1]:80"),
])
func numericHostsBecomeAddresses(_ host: String, _ text: String) {
    #expect(SocketAddress(numericHost: host, port: 80).map(\.description) == text)
}

@Test(arguments: ["localhost", "127.0.0.256", "1.2.3", ":::", ""]) func namesAreNoNumericHosts(_ host: String) {
    #expect(SocketAddress(numericHost: host, port: 80) == nil)
}

@Test func theKernelChoosesAPort() throws {
    let socket = try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: 0))
    defer { socket.close() }
    let port = try #require(socket.address.port)
    #expect(port > 0)
    #expect(throws: SystemError.self) { try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: port)) }
}

@Test func aConnectionCarriesBytesBothWays() async throws {
    let loop = try EventLoop(name: "test")
    let path = "/tmp/meridian-socket-\(UInt32.random(in: .min ... .max))"
    try await loop.perform {
        let listening = try ListeningSocket(at: .unix(path: path))
        defer { listening.close() }
        let waiting = try listening.accept()
        #expect(waiting == nil)
        // A unix socket connects at once.
        let client = try StreamSocket.connecting(to: .unix(path: path))
        try client.finishConnecting()
        let (server, _) = try #require(try listening.accept())
        let scratch = unsafe loop.scratch.input
        let nothing = try unsafe server.receive(into: scratch)
        let sent = try unsafe [UInt8]("hello".utf8).withUnsafeBytes { bytes throws(SystemError) in
            try unsafe client.send(bytes)
        }
        let received = try unsafe server.receive(into: scratch)
        let text = unsafe String(decoding: scratch[..<5], as: UTF8.self)
        client.close()
        let end = try unsafe server.receive(into: scratch)
        #expect(nothing == .wouldBlock && sent == 5 && received == .bytes(5) && text == "hello" && end == .endOfStream)
    }
    loop.shutDown()
}

@Test func aStaleUnixSocketIsReplacedALiveOneIsNot() throws {
    let path = "/tmp/meridian-socket-\(UInt32.random(in: .min ... .max))"
    let first = try ListeningSocket(at: .unix(path: path))
    #expect(throws: SystemError.self) { try ListeningSocket(at: .unix(path: path)) }
    first.close()
    leaveFileBehind(path)
    let second = try ListeningSocket(at: .unix(path: path))
    second.close()
    #expect(throws: SystemError.self) { try ListeningSocket(at: .unix(path: String(repeating: "x", count: 200))) }
}

@Test func namesAreLookedUp() async throws {
    let numeric = try await NameResolver.addresses(of: "127.0.0.1", port: 5)
    let local = try await NameResolver.addresses(of: "localhost", port: 5)
    #expect(numeric == [.ipv4(host: "127.0.0.1", port: 5)])
    #expect(local.contains { $0 == .ipv4(host: "127.0.0.1", port: 5) || $0 == .ipv6(host: "::1", port: 5) })
    let error = await #expect(throws: NameError.self) {
        try await NameResolver.addresses(of: "no-such-name.invalid", port: 5)
    }
    #expect(error?.host == "no-such-name.invalid" && error?.reason.isEmpty == false)
}

/// What a killed server leaves: the file of a socket that nobody has open.
private func leaveFileBehind(_ path: String) {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    #expect(bound == 0)
    close(descriptor)
}
