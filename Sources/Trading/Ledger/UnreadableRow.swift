/// A row of ours that this version of the code cannot read: never guessed at.
struct UnreadableRow: Error, Hashable, CustomStringConvertible {
    let what: String
    var description: String { "a row of the ledger cannot be read: \(what)" }
}
