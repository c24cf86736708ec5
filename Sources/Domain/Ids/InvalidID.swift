/// Why a text is no id. Never worth a retry.
public enum InvalidID: Error, Hashable, Sendable {
    case empty
    case tooLong(limit: Int)
    case forbiddenCharacter
}

extension InvalidID: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "the id is empty"
        case .tooLong(let limit): "the id is longer than \(limit) characters"
        case .forbiddenCharacter: "the id has a character that is not allowed"
        }
    }
}
