internal import EventLoop
internal import Glibc

/// Replaces the content of the file at `path`, keeping its owner.
func writeFile(_ path: String, _ text: String) throws(SystemError) {
    let descriptor = openForWriting(path)
    guard descriptor >= 0 else { throw .last("open") }
    defer { close(descriptor) }
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let written = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        guard written > 0 else { throw .last("write") }
        bytes = bytes.dropFirst(written)
    }
}

private func openForWriting(_ path: String) -> Int32 { unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644) }

/// A TCP port of 127.0.0.1 that nobody uses now.
func freePort() throws(SystemError) -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw .last("socket") }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            unsafe bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
        }
    }
    guard isBound else { throw .last("bind") }
    return UInt16(bigEndian: address.sin_port)
}
