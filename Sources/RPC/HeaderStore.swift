internal import Glibc
internal import RPCCore

/// Header fields as they came, kept as bytes: strings are made only when somebody asks for the metadata.
struct HeaderStore: Sendable {
    private struct Fields {
        var bytes: [UInt8] = []
        var counts: [(name: Int32, value: Int32)] = []
    }

    /// Nil until there is one.
    private var fields: Fields?

    mutating func append(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        var fields = fields.take() ?? Fields()
        unsafe name.withUnsafeBufferPointer { unsafe fields.bytes.append(contentsOf: $0) }
        unsafe value.withUnsafeBufferPointer { unsafe fields.bytes.append(contentsOf: $0) }
        fields.counts.append((Int32(name.count), Int32(value.count)))
        self.fields = fields
    }

    /// Without what belongs to HTTP/2 and gRPC themselves.
    var metadata: Metadata {
        var metadata = Metadata()
        guard let fields else { return metadata }
        var offset = 0
        for count in fields.counts {
            let nameEnd = offset + Int(count.name)
            let valueEnd = nameEnd + Int(count.value)
            metadata.appendFromWire(
                key: String(decoding: fields.bytes[offset..<nameEnd], as: UTF8.self),
                value: fields.bytes[nameEnd..<valueEnd])
            offset = valueEnd
        }
        return metadata
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
