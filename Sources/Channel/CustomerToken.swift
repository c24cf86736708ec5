public import Cryptography
public import Domain
internal import FoundationEssentials
internal import RPCCore

/// What a customer shows at the door: a JSON Web Token signed with Ed25519 (RFC 7519, RFC 8037) that names the customer
/// and ends at a fixed time.
public struct CustomerToken: Hashable, Sendable {
    public let customer: CustomerID
    /// Not valid from this time on, in whole seconds.
    public let expires: UnixTime

    public init(customer: CustomerID, expires: UnixTime) {
        self.customer = customer
        self.expires = UnixTime(seconds: expires.seconds)
    }

    private struct Header: Codable {
        var alg = "EdDSA"
        var typ = "JWT"
    }

    private struct Claims: Codable {
        var sub: String
        var exp: Int64
    }

    /// No token is longer than this, in bytes.
    static let maximumBytes = 2048

    public func signed(with key: Ed25519PrivateKey) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let header = try encoder.encode(Header())
        let claims = try encoder.encode(Claims(sub: customer.text, exp: expires.seconds))
        let text = "\(Self.base64URL([UInt8](header))).\(Self.base64URL([UInt8](claims)))"
        return "\(text).\(Self.base64URL(key.sign(Array(text.utf8))))"
    }

    /// - Throws: `TokenError`; nothing inside an unsigned or forged token is looked at, except which algorithm it names.
    public init(_ text: String, verifiedWith key: Ed25519PublicKey, at now: UnixTime) throws(TokenError) {
        guard text.utf8.count <= Self.maximumBytes else { throw .malformed }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.decode(parts[0]), let claims = Self.decode(parts[1]),
            let signature = Self.decode(parts[2])
        else { throw .malformed }
        guard let head = try? JSONDecoder().decode(Header.self, from: Data(header)) else { throw .malformed }
        guard head.alg == "EdDSA" else { throw .forged }
        guard key.isValid(signature: signature, for: Array("\(parts[0]).\(parts[1])".utf8)) else { throw .forged }
        guard let read = try? JSONDecoder().decode(Claims.self, from: Data(claims)),
            let customer = try? CustomerID(read.sub)
        else { throw .malformed }
        let expires = UnixTime(seconds: read.exp)
        guard now < expires else { throw .expired }
        self.init(customer: customer, expires: expires)
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        let text = Base64.encode(bytes).map { byte in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: byte
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func decode(_ text: Substring) -> [UInt8]? {
        var standard: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-"): standard.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): standard.append(UInt8(ascii: "/"))
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
            default: standard.append(byte)
            }
        }
        return Base64.decode(standard)
    }
}

/// Why a token opens no door.
public enum TokenError: Error, Hashable, Sendable {
    case malformed
    case forged
    case expired
}
