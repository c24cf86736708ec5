/// The file `.netrc`: names and passwords by host. Source: netrc(5).
package struct Netrc: Sendable {
    package struct Login: Sendable, Hashable {
        package let user: String
        package let password: String
    }

    private var logins: [(host: String?, login: Login)] = []

    /// Throws `ToolFailure.invalid` for text that does not follow the grammar. `macdef` is read over, `account` ignored.
    package init(_ text: String) throws(ToolFailure) {
        var host: String?
        var isOpen = false
        var user = ""
        var password = ""
        func close(_ logins: inout [(host: String?, login: Login)]) {
            if isOpen { logins.append((host, Login(user: user, password: password))) }
        }
        var isMacro = false
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            // A macro lasts until an empty line.
            if isMacro {
                isMacro = !line.allSatisfy(\.isWhitespace)
                continue
            }
            var words = line.split(whereSeparator: \.isWhitespace).map(String.init)[...]
            while let word = words.popFirst(), !word.hasPrefix("#") {
                switch word {
                case "machine", "default":
                    close(&logins)
                    (isOpen, user, password) = (true, "", "")
                    host = word == "machine" ? words.popFirst() : nil
                    guard word == "default" || host != nil else {
                        throw .invalid("The netrc file has a machine without a name.")
                    }
                case "login": user = words.popFirst() ?? ""
                case "password": password = words.popFirst() ?? ""
                case "account": _ = words.popFirst()
                case "macdef":
                    isMacro = true
                    words = []
                default: throw .invalid("The netrc file has an unknown word where one of its own is expected.")
                }
            }
        }
        close(&logins)
    }

    /// The entry of a host, or the default one.
    package func login(for host: String) -> Login? {
        logins.first { $0.host == host || $0.host == nil }?.login
    }
}
