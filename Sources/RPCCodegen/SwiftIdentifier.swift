/// Turns names of `.proto` files into Swift's style.
enum SwiftIdentifier {
    /// `client_order_id` becomes `clientOrderID`, `ORDER_ID` with `allCaps` becomes `orderID`.
    static func lowerCamel(_ name: String, allCaps: Bool = false) -> String {
        let words = words(of: allCaps ? name.lowercased() : name)
        guard let first = words.first else { return name }
        return ([decapitalised(first)] + words.dropFirst().map(capitalised)).joined()
    }

    /// `order_kind` becomes `OrderKind`.
    static func upperCamel(_ name: String) -> String {
        words(of: name).map(capitalised).joined()
    }

    /// `OrderState` becomes `ORDER_STATE`, the prefix that the values of an enum bear by custom.
    static func screamingSnake(_ name: String) -> String {
        var result = ""
        let letters = Array(name)
        for (index, letter) in letters.enumerated() {
            let begins =
                index > 0 && letter.isUppercase
                && (!letters[index - 1].isUppercase || (index + 1 < letters.count && letters[index + 1].isLowercase))
            if begins, letters[index - 1] != "_" { result += "_" }
            result += letter.uppercased()
        }
        return result
    }

    /// Whether it can begin or be a name: ASCII letters, digits and underscores, no digit first.
    static func isWord(_ text: String) -> Bool {
        guard let first = text.first, !first.isNumber else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    /// A literal of any text.
    static func literal(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\u{20}"..."\u{7e}": result.unicodeScalars.append(scalar)
            default: result += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return result + "\""
    }

    /// In backticks if it is a keyword.
    static func escaped(_ name: String) -> String {
        keywords.contains(name) ? "`\(name)`" : name
    }

    private static func words(of name: String) -> [Substring] { name.split(separator: "_") }

    private static func capitalised(_ word: Substring) -> String {
        initialisms[String(word)] ?? word.prefix(1).uppercased() + word.dropFirst()
    }

    /// Lowers the first letter, or the whole word if it is in capitals.
    private static func decapitalised(_ word: Substring) -> String {
        guard let first = word.first else { return "" }
        if first.isNumber { return "_" + word }
        if word.count > 1, word.allSatisfy({ $0.isUppercase || $0.isNumber }) { return word.lowercased() }
        return first.lowercased() + word.dropFirst()
    }

    private static let initialisms = ["id": "ID", "ids": "IDs", "url": "URL", "urls": "URLs"]

    private static let keywords: Set<String> = [
        "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do",
        "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import",
        "in", "init", "inout", "internal", "is", "let", "nil", "operator", "precedencegroup", "private", "protocol",
        "public", "repeat", "rethrows", "return", "self", "static", "struct", "subscript", "super", "switch", "throw",
        "throws", "true", "try", "typealias", "var", "where", "while", "Any", "Self", "Type", "Protocol",
        // Words that begin an expression or a declaration in some places.
        "any", "async", "await", "borrowing", "consume", "consuming", "copy", "discard", "each", "indirect", "isolated",
        "nonisolated", "package", "sending", "some", "then", "unsafe", "yield",
    ]
}
