/// Names and values as `length:bytes,` in turn, ordered by name: bytes of any kind, and still legible in a terminal.
package enum Netstrings {
    package static func encode(_ pairs: [String: String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (name, value) in pairs.sorted(by: { $0.key < $1.key }) {
            for text in [name, value] { bytes.append(contentsOf: "\(text.utf8.count):\(text),".utf8) }
        }
        return bytes
    }

    /// Nil when the bytes are cut or malformed.
    package static func decode(_ bytes: [UInt8]) -> [String: String]? {
        var rest = bytes[...]
        var pairs: [String: String] = [:]
        while !rest.isEmpty {
            guard let name = next(&rest), let value = next(&rest) else { return nil }
            pairs[name] = value
        }
        return pairs
    }

    private static func next(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard let colon = rest.prefix(10).firstIndex(of: UInt8(ascii: ":")),
            let count = Int(String(decoding: rest[..<colon], as: UTF8.self)), count >= 0
        else { return nil }
        let content = rest[(colon + 1)...].prefix(count)
        guard content.count == count, rest.dropFirst(colon + 1 - rest.startIndex + count).first == UInt8(ascii: ",")
        else { return nil }
        rest = rest[(content.endIndex + 1)...]
        return String(validating: content, as: UTF8.self)
    }
}
