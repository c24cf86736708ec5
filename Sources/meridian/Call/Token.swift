import ArgumentParser
import Channel
import Cryptography
import Domain
import ServiceKit

/// `meridian token`: a customer's token, signed with the stack's key.
struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sign a customer's token.",
        discussion: """
            EXAMPLES
              meridian token alice
              curl-like clients: -H "authorization: Bearer $(meridian token alice --expires 5m)"
            """)

    @Argument(help: "The customer's id.")
    var customer: String

    @Option(name: .long, help: "How long it is valid: 30s, 5m, 1h.")
    var expires: String = "1h"

    @Option(name: .long, help: "The data folder of the stack whose key signs.")
    var folder: String = StackFolder.defaultPath

    func run() async throws {
        print(try StackFolder(path: folder).token(for: customer, validFor: try DurationText.parse(expires)))
    }
}
