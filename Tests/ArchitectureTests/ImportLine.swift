/// The modules that Swift source names in its `import` lines.
enum ImportLine {
    /// In order, with repetitions. Lines of comments are none; `import struct M.T` and `import M.Sub` name `M`.
    static func modules(in source: String) -> [String] {
        var commentDepth = 0
        return source.split(whereSeparator: \.isNewline).compactMap { line in
            let isComment = commentDepth > 0
            commentDepth = max(0, commentDepth + count("/*", in: line) - count("*/", in: line))
            return isComment ? nil : module(of: line)
        }
    }

    private static let kinds: Set<Substring> = [
        "actor", "class", "enum", "func", "let", "protocol", "struct", "typealias", "var",
    ]
    private static let modifiers: Set<Substring> = ["fileprivate", "internal", "package", "private", "public"]

    private static func module(of line: Substring) -> String? {
        var words = line.split { $0 == " " || $0 == "\t" || $0 == ";" }[...]
        while let word = words.first, word.hasPrefix("@") || modifiers.contains(word) { words.removeFirst() }
        guard words.popFirst() == "import" else { return nil }
        if let word = words.first, kinds.contains(word) { words.removeFirst() }
        guard let path = words.first else { return nil }
        return path.split(separator: ".").first.map(String.init)
    }

    private static func count(_ mark: String, in line: Substring) -> Int {
        var rest = line
        var found = 0
        while let range = rest.firstRange(of: mark) {
            found += 1
            rest = rest[range.upperBound...]
        }
        return found
    }
}
