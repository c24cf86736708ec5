import Foundation
import Protobuf

/// The requests of a load: text with variables in double braces, put in for each call.
///
/// `{{n}}` is the number of the call from 0, `{{worker}}` who makes it (or 0), `{{uuid}}` a new UUID, `{{now}}` the time
/// as in RFC 3339, `{{unix_ms}}` the same in milliseconds, `{{random 1 6}}` a whole number between two.
package struct PayloadTemplate: Sendable {
    private enum Part: Sendable {
        case text(String)
        case number, worker, uuid, now, milliseconds
        case random(ClosedRange<Int>)
    }

    private let parts: [Part]

    /// Throws `ToolFailure.invalid` for a variable that does not exist.
    package init(_ text: String) throws(ToolFailure) {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstRange(of: "{{") {
            guard let close = rest[open.upperBound...].firstRange(of: "}}") else { break }
            let name = rest[open.upperBound..<close.lowerBound].split(separator: " ")
            // Braces that belong to the JSON may stand beside each other.
            guard let part = try Self.part(name) else {
                parts.append(.text(String(rest[..<open.upperBound])))
                rest = rest[open.upperBound...]
                continue
            }
            parts.append(.text(String(rest[..<open.lowerBound])))
            parts.append(part)
            rest = rest[close.upperBound...]
        }
        parts.append(.text(String(rest)))
        self.parts = parts
    }

    /// Whether each call has its own text.
    package var hasVariables: Bool {
        parts.contains { if case .text = $0 { false } else { true } }
    }

    package func text(call number: Int, worker: Int) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .text(let piece): text += piece
            case .number: text += "\(number)"
            case .worker: text += "\(worker)"
            case .uuid: text += UUID().uuidString.lowercased()
            case .now: text += Date.now.formatted(.iso8601)
            case .milliseconds: text += "\(Int(Date.now.timeIntervalSince1970 * 1000))"
            case .random(let range): text += "\(Int.random(in: range))"
            }
        }
        return text
    }

    /// Nil for what is no variable but braces of the text.
    private static func part(_ words: [Substring]) throws(ToolFailure) -> Part? {
        switch words.first {
        case "n" where words.count == 1: return .number
        case "worker" where words.count == 1: return .worker
        case "uuid" where words.count == 1: return .uuid
        case "now" where words.count == 1: return .now
        case "unix_ms" where words.count == 1: return .milliseconds
        case "random":
            guard words.count == 3, let low = Int(words[1]), let high = Int(words[2]), low <= high else {
                throw .invalid("Write {{random LOW HIGH}} with two whole numbers.")
            }
            return .random(low...high)
        case let name?:
            guard words.count == 1, name.allSatisfy({ $0.isLetter || $0 == "_" || $0 == "." }) else { return nil }
            throw .invalid("There is no variable {{\(name)}}; there are n, worker, uuid, now, unix_ms and random.")
        case nil: return nil
        }
    }
}
