internal import CNGHTTP2

/// Header or trailer fields in the order in which they go out, pseudo-headers first.
public struct HeaderBlock: Sendable {
    private struct Field {
        var nameCount: Int
        var valueCount: Int
        var isSensitive: Bool
    }

    private struct Gathered {
        var bytes: [UInt8] = []
        var fields: [Field] = []
    }

    /// Nil for constant fields, so that handing them around counts no references.
    private var gathered: Gathered?
    private let constant: ConstantFields?

    public init() {
        gathered = Gathered()
        constant = nil
    }

    /// Fields that never change, prepared once for the life of the process: they go out without being copied.
    ///
    /// Its memory is never given back: make it a global or static constant.
    public init(constant fields: (name: StaticString, value: StaticString)...) {
        gathered = nil
        constant = ConstantFields(fields)
    }

    /// - Parameters:
    ///   - name: lower case.
    ///   - isSensitive: kept out of the compression tables (RFC 7541 section 7.1.3).
    public mutating func append(
        _ name: String, _ value: some Collection<UInt8>, isSensitive: Bool = false
    ) {
        precondition(gathered != nil, "constant fields are not added to")
        gathered?.bytes.append(contentsOf: name.utf8)
        gathered?.bytes.append(contentsOf: value)
        gathered?.fields.append(Field(nameCount: name.utf8.count, valueCount: value.count, isSensitive: isSensitive))
    }

    public mutating func append(_ name: String, _ value: String, isSensitive: Bool = false) {
        append(name, value.utf8, isSensitive: isSensitive)
    }

    /// Calls `body` with the library's form, valid during the call.
    func withFields<Result>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> Result) -> Result {
        if let constant { return unsafe body(constant.list, constant.count) }
        guard let gathered else { return body(nil, 0) }
        let fields = gathered.fields
        return unsafe gathered.bytes.withUnsafeBufferPointer { bytes in
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

/// The library's form of constant fields, with names and values that it need not copy.
///
/// @unchecked: written once, then only read; never freed.
@safe private struct ConstantFields: @unchecked Sendable {
    let list: UnsafePointer<nghttp2_nv>
    let count: Int

    init(_ fields: [(name: StaticString, value: StaticString)]) {
        let list = UnsafeMutablePointer<nghttp2_nv>.allocate(capacity: fields.count)
        let flags = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
        for (index, field) in fields.enumerated() {
            unsafe (list + index).initialize(
                to: nghttp2_nv(
                    name: UnsafeMutablePointer(mutating: field.name.utf8Start),
                    value: UnsafeMutablePointer(mutating: field.value.utf8Start),
                    namelen: field.name.utf8CodeUnitCount, valuelen: field.value.utf8CodeUnitCount, flags: flags))
        }
        unsafe self.list = UnsafePointer(list)
        count = fields.count
    }
}
