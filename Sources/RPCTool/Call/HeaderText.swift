package import RPCCore

/// Metadata as people write it: `name: value`, from arguments, files and the environment.
package enum HeaderText {
    /// Adds one line. The value of a name that ends in `-bin` is base64. Throws `ToolFailure.invalid`.
    package static func append(_ line: String, to metadata: inout Metadata) throws(ToolFailure) {
        guard let colon = line.firstIndex(of: ":") else {
            // The line may be a secret: it is not repeated.
            throw .invalid("A header has no colon; write \"name: value\".")
        }
        let name = line[..<colon].trimmed.lowercased()
        let value = String(line[line.index(after: colon)...].trimmed)
        let bytes = name.hasSuffix("-bin") ? Base64.decode(value.utf8) : []
        guard let bytes else { throw .invalid("The value of the header \(name) is not base64.") }
        do throws(MetadataError) {
            if name.hasSuffix("-bin") {
                try metadata.append(bytes, for: name)
            } else {
                try metadata.append(value, for: name)
            }
        } catch {
            throw .invalid("A header cannot be sent: \(error.status.message).")
        }
    }

    /// The headers in a file: one on each line; empty lines and those that begin with # say nothing.
    package static func lines(in text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map { String($0.trimmed) }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }

    /// Puts variables in: `$NAME`, `${NAME}`; `$$` is a dollar sign. Throws `ToolFailure.invalid` for one that is not set.
    package static func expand(_ text: String, from environment: [String: String]) throws(ToolFailure) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest.removeFirst()
                continue
            }
            let isBraced = rest.first == "{"
            if isBraced { rest.removeFirst() }
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            rest = rest[name.endIndex...]
            guard !name.isEmpty, !isBraced || rest.first == "}" else {
                throw .invalid("A header has a $ without the name of a variable; write $$ for the sign itself.")
            }
            if isBraced { rest.removeFirst() }
            guard let value = environment[String(name)] else {
                throw .invalid("The environment has no variable \(name), which a header names.")
            }
            result += value
        }
        return result + rest
    }

    /// The header of HTTP's basic authentication. Source: RFC 7617.
    package static func basic(user: String, password: String) -> String {
        "authorization: Basic " + String(decoding: Base64.encode("\(user):\(password)".utf8).padded, as: UTF8.self)
    }

    /// A line for people, with secrets left out.
    static func shown(_ element: Metadata.Element) -> String {
        guard case .bytes(let bytes) = element.value, !Metadata.isSecret(element.key) else { return "\(element)" }
        return "\(element.key): \(String(decoding: Base64.encode(bytes), as: UTF8.self))"
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}

extension [UInt8] {
    /// `RPCCore` writes base64 without padding, which metadata has none of; HTTP wants it.
    fileprivate var padded: [UInt8] { self + [UInt8](repeating: UInt8(ascii: "="), count: (4 - count % 4) % 4) }
}
