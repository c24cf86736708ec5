internal import Glibc
internal import RPCCore

/// Header fields as they came, kept as bytes: strings are made only when somebody asks for the metadata.
struct HeaderStore: Sendable {
    /// For each field both counts (4 bytes each, in the order of this machine), the name and the value.
    private var bytes: [UInt8] = []

    /// Holds what most requests have, without growing again and again.
    private static let firstReservation = 256
    private static let countBytes = MemoryLayout<UInt32>.size

    mutating func append(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        if bytes.isEmpty { bytes.reserveCapacity(Self.firstReservation) }
        let counts = (UInt32(name.count), UInt32(value.count))
        unsafe withUnsafeBytes(of: counts) { unsafe bytes.append(contentsOf: $0) }
        unsafe name.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        unsafe value.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }

    /// Without what belongs to HTTP/2 and gRPC themselves.
    var metadata: Metadata {
        var metadata = Metadata()
        var offset = 0
        while offset < bytes.count {
            let nameStart = offset + 2 * Self.countBytes
            let nameEnd = nameStart + count(at: offset)
            let valueEnd = nameEnd + count(at: offset + Self.countBytes)
            metadata.appendFromWire(
                key: String(decoding: bytes[nameStart..<nameEnd], as: UTF8.self), value: bytes[nameEnd..<valueEnd])
            offset = valueEnd
        }
        return metadata
    }

    private func count(at offset: Int) -> Int {
        unsafe bytes.withUnsafeBytes { unsafe Int($0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    }
}

extension Span where Element == UInt8 {
    func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && beginsWith(text)
    }

    func starts(with text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount && beginsWith(text)
    }

    func equals(_ other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        guard count > 0 else { return true }
        return unsafe withUnsafeBytes { a in
            unsafe other.withUnsafeBytes { b in unsafe memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0 }
        }
    }

    var array: [UInt8] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }

    private func beginsWith(_ text: StaticString) -> Bool {
        unsafe withUnsafeBytes { unsafe memcmp($0.baseAddress!, text.utf8Start, text.utf8CodeUnitCount) == 0 }
    }
}
