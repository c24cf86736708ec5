/// Why a pair cannot be metadata.
public enum MetadataError: Error, Hashable, StatusConvertible {
    /// Not one or more of `0-9 a-z _ . -`.
    case invalidKey(String)
    /// The key belongs to HTTP/2 or to gRPC itself.
    case reservedKey(String)
    /// Text is printable ASCII (0x20 to 0x7E); anything else needs a key that ends in `-bin`.
    case invalidText(key: String)
    /// Bytes need a key that ends in `-bin`, and text one that does not.
    case wrongKind(key: String)

    public var status: Status {
        switch self {
        case .invalidKey(let key): Status(.internal, "invalid metadata key: \(key)")
        case .reservedKey(let key): Status(.internal, "reserved metadata key: \(key)")
        case .invalidText(let key): Status(.internal, "metadata value of \(key) is not printable ASCII")
        case .wrongKind(let key): Status(.internal, "binary metadata needs a key ending in -bin, text must not: \(key)")
        }
    }
}

/// What one key of metadata holds.
public enum MetadataValue: Sendable, Hashable {
    case text(String)
    case bytes([UInt8])
}

/// An ordered multi-map of the pairs that go before (initial) or after (trailing) the messages of a call.
///
/// Keys are lower case. A key that ends in `-bin` holds bytes, any other printable ASCII text; a key may repeat.
/// Source: gRPC over HTTP/2, "Custom-Metadata".
public struct Metadata: Sendable, Hashable {
    public struct Element: Sendable, Hashable {
        public let key: String
        public let value: MetadataValue
    }

    private var elements: [Element] = []

    public init() {}

    /// The first text value of `key`.
    public subscript(_ key: String) -> String? {
        for element in elements where element.key == key {
            if case .text(let text) = element.value { return text }
        }
        return nil
    }

    /// The first binary value of `key`, which ends in `-bin`.
    public subscript(bytes key: String) -> [UInt8]? {
        for element in elements where element.key == key {
            if case .bytes(let bytes) = element.value { return bytes }
        }
        return nil
    }

    /// Every value of `key`, in order.
    public func values(for key: String) -> [MetadataValue] {
        elements.filter { $0.key == key }.map(\.value)
    }

    public mutating func append(_ text: String, for key: String) throws(MetadataError) {
        try Self.validate(key)
        guard !key.hasSuffix("-bin") else { throw .wrongKind(key: key) }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 <= 0x7E }) else { throw .invalidText(key: key) }
        elements.append(Element(key: key, value: .text(text)))
    }

    public mutating func append(_ bytes: [UInt8], for key: String) throws(MetadataError) {
        try Self.validate(key)
        guard key.hasSuffix("-bin") else { throw .wrongKind(key: key) }
        elements.append(Element(key: key, value: .bytes(bytes)))
    }

    public mutating func append(contentsOf other: Metadata) { elements.append(contentsOf: other.elements) }

    public mutating func removeAll(_ key: String) { elements.removeAll { $0.key == key } }

    /// Adds a pair as it came over the network: a `-bin` value is decoded and split at its commas, and what is
    /// malformed or belongs to the protocol is left out. Returns whether it was taken.
    @discardableResult
    public mutating func appendFromWire(key: String, value: some Collection<UInt8>) -> Bool {
        guard !Self.isReserved(key), Self.isValidKey(key) else { return false }
        guard key.hasSuffix("-bin") else {
            elements.append(Element(key: key, value: .text(String(decoding: value, as: UTF8.self))))
            return true
        }
        var complete = true
        for part in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard let bytes = Base64.decode(part) else {
                complete = false
                continue
            }
            elements.append(Element(key: key, value: .bytes(bytes)))
        }
        return complete
    }

    /// Keys that HTTP/2 and gRPC use for themselves, and that therefore never appear here.
    public static func isReserved(_ key: String) -> Bool {
        switch key {
        case "te", "content-type", "host", "connection", "keep-alive", "proxy-connection", "transfer-encoding",
            "upgrade", "content-length", "user-agent", "grpc-status", "grpc-message", "grpc-status-details-bin",
            "grpc-timeout", "grpc-encoding", "grpc-accept-encoding", "grpc-message-type":
            true
        default: key.hasPrefix(":")
        }
    }

    private static func isValidKey(_ key: String) -> Bool {
        !key.isEmpty
            && key.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    private static func validate(_ key: String) throws(MetadataError) {
        guard isValidKey(key) else { throw .invalidKey(key) }
        guard !isReserved(key) else { throw .reservedKey(key) }
    }
}

extension Metadata: RandomAccessCollection {
    public var startIndex: Int { elements.startIndex }
    public var endIndex: Int { elements.endIndex }
    public subscript(position: Int) -> Element { elements[position] }
}

extension Metadata: ExpressibleByDictionaryLiteral {
    public typealias Key = String
    public typealias Value = String

    /// Text pairs written in code; an invalid one is a programming error and traps.
    public init(dictionaryLiteral pairs: (String, String)...) {
        for (key, value) in pairs {
            do throws(MetadataError) {
                try append(value, for: key)
            } catch {
                preconditionFailure("\(error)")
            }
        }
    }
}
