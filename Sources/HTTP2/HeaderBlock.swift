internal import CNGHTTP2

/// Header or trailer fields in the order in which they go out, pseudo-headers first.
public struct HeaderBlock: Sendable, Hashable {
    private struct Field: Hashable {
        var nameCount: Int
        var valueCount: Int
        var isSensitive: Bool
    }

    private var bytes: [UInt8] = []
    private var fields: [Field] = []

    public init() {}

    /// - Parameters:
    ///   - name: lower case.
    ///   - isSensitive: kept out of the compression tables (RFC 7541 section 7.1.3).
    public mutating func append(
        _ name: String, _ value: some Collection<UInt8>, isSensitive: Bool = false
    ) {
        bytes.append(contentsOf: name.utf8)
        bytes.append(contentsOf: value)
        fields.append(Field(nameCount: name.utf8.count, valueCount: value.count, isSensitive: isSensitive))
    }

    public mutating func append(_ name: String, _ value: String, isSensitive: Bool = false) {
        append(name, value.utf8, isSensitive: isSensitive)
    }

    public var isEmpty: Bool { fields.isEmpty }

    /// Calls `body` with the library's form, valid during the call.
    func withFields<Result>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result) -> Result {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: fields.count) { list in
                guard let base = unsafe UnsafeMutablePointer(mutating: bytes.baseAddress) else {
                    return body(nil, 0)
                }
                var offset = 0
                for (index, field) in fields.enumerated() {
                    let flags = field.isSensitive ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE
                    unsafe list.initializeElement(
                        at: index,
                        to: nghttp2_nv(
                            name: base + offset, value: base + offset + field.nameCount, namelen: field.nameCount,
                            valuelen: field.valueCount, flags: UInt8(flags.rawValue)))
                    offset += field.nameCount + field.valueCount
                }
                return unsafe body(UnsafePointer(list.baseAddress), fields.count)
            }
        }
    }
}
