import ArgumentParser
import RPCTool

/// The words of `list`, `describe`, `call` and `bench rpc`: an address if there is a colon in it, then a name.
struct Words: Equatable {
    let address: ServerAddress?
    let name: String?

    /// Throws `ValidationError` for too many words, and for an address that is none.
    init(_ words: [String], nameIsCalled label: String) throws {
        var rest = words[...]
        if let first = rest.first, ServerAddress.isMeant(by: first) {
            guard let address = ServerAddress(first) else {
                throw ValidationError(
                    "\(first) is no address; write host:port, http://host:port, https://host or unix:PATH.")
            }
            self.address = address
            rest.removeFirst()
        } else {
            address = nil
        }
        name = rest.popFirst()
        guard rest.isEmpty else { throw ValidationError("Too many words; write [ADDRESS] \(label).") }
    }
}
