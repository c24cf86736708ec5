/// Collects lines of Swift, indented by four spaces per level.
struct SourceWriter {
    private(set) var text = ""
    private var level = 0
    static let lineLimit = 120

    /// One line, or an empty one.
    mutating func line(_ content: String = "") {
        if !content.isEmpty { text += indentation + content }
        text += "\n"
    }

    /// `head {`, the lines of `body`, `}`.
    mutating func block(_ head: String, _ body: (inout SourceWriter) throws -> Void) rethrows {
        line(head + " {")
        try indented(body)
        line("}")
    }

    mutating func indented(_ body: (inout SourceWriter) throws -> Void) rethrows {
        level += 1
        defer { level -= 1 }
        try body(&self)
    }

    /// `head(a, b)tail` on one line if it fits, otherwise with one item per line.
    mutating func list(
        _ head: String, _ items: [String], _ tail: String = "", open: String = "(", close: String = ")",
        trailingComma: Bool = false
    ) {
        let single = head + open + items.joined(separator: ", ") + close + tail
        if indentation.count + single.count <= Self.lineLimit {
            line(single)
            return
        }
        line(head + open)
        indented { writer in
            for (index, item) in items.enumerated() {
                writer.line(item + (index < items.count - 1 || trailingComma ? "," : ""))
            }
        }
        line(close + tail)
    }

    /// `head[`, one item per line, `]tail`.
    mutating func array(_ head: String, _ items: [String], _ tail: String = "") {
        guard !items.isEmpty else {
            line(head + "[]" + tail)
            return
        }
        line(head + "[")
        // swift format leaves no comma behind an only element.
        indented { writer in for item in items { writer.line(item + (items.count > 1 ? "," : "")) } }
        line("]" + tail)
    }

    /// A literal of long text without spaces, broken into lines that the compiler joins again.
    mutating func text(_ content: String, _ tail: String = "") {
        line("\"\"\"")
        var rest = content[...]
        let room = Self.lineLimit - indentation.count - 1
        while rest.count > room {
            line(rest.prefix(room) + "\\")
            rest = rest.dropFirst(room)
        }
        line(String(rest))
        line("\"\"\"" + tail)
    }

    /// A documentation comment, its long lines broken between words.
    mutating func comment(_ content: String?) {
        guard let content else { return }
        let room = Self.lineLimit - indentation.count - 4
        for paragraph in content.split(separator: "\n", omittingEmptySubsequences: false) {
            var rest = paragraph[...]
            while rest.count > room, let space = rest.prefix(room + 1).lastIndex(of: " "), space > rest.startIndex {
                line("/// " + rest[..<space])
                rest = rest[rest.index(after: space)...]
            }
            line(rest.isEmpty ? "///" : "/// " + rest)
        }
    }

    private var indentation: String { String(repeating: " ", count: 4 * level) }
}
