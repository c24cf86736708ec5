import SwiftProtobuf
import SwiftProtobufPluginLibrary

extension TypeNames {
    /// The comment above the declaration and the one behind it, each a paragraph, without the space that follows the
    /// slashes. Comments with an empty line below them belong to no declaration and stay behind.
    func documentation(of declaration: some ProvidesSourceCodeLocation & ProvidesDeprecationComment) -> String? {
        documentation(of: declaration, deprecated: !declaration.deprecationComment(commentPrefix: "").isEmpty)
    }

    func documentation(of oneof: OneofDescriptor) -> String? { documentation(of: oneof, deprecated: false) }

    private func documentation(of declaration: some ProvidesSourceCodeLocation, deprecated: Bool) -> String? {
        var paragraphs: [String] = []
        if options.comments, let location = declaration.sourceCodeInfoLocation {
            paragraphs = [location.leadingComments, location.trailingComments].compactMap(Self.cleaned)
        }
        if deprecated { paragraphs.append("Deprecated.") }
        return paragraphs.isEmpty ? nil : paragraphs.joined(separator: "\n\n")
    }

    private static func cleaned(_ comment: String) -> String? {
        // Whatever Swift takes for the end of a line must be one here, or the comment would end inside.
        var lines = comment.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
            var line = line.hasPrefix(" ") ? line.dropFirst() : line
            while line.last?.isWhitespace == true { line.removeLast() }
            return String(line)
        }
        while lines.first?.isEmpty == true { lines.removeFirst() }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }
}
