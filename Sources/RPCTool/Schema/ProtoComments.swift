import Protobuf

/// The comments of a `.proto` file, if its descriptor kept them, and its syntax.
struct ProtoComments {
    /// In proto3 a field without a label has none.
    let syntaxIsProto3: Bool
    private let comments: [[Int32]: String]

    init(_ file: Google_Protobuf_FileDescriptorProto) {
        syntaxIsProto3 = file.syntax == "proto3"
        var comments: [[Int32]: String] = [:]
        for location in file.sourceCodeInfo?.location ?? [] {
            let text = (location.leadingComments ?? "") + (location.trailingComments ?? "")
            if !text.isEmpty { comments[location.path] = text }
        }
        self.comments = comments
    }

    func has(_ path: [Int32]) -> Bool { comments[path] != nil }

    /// What stands before and behind a definition, as lines of comment.
    func lines(at path: [Int32]) -> [String] {
        guard let text = comments[path] else { return [] }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
        return lines.map { $0.isEmpty ? "//" : $0.hasPrefix(" ") ? "//\($0)" : "// \($0)" }
    }
}
