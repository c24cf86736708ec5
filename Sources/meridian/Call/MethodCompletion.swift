import ArgumentParser
import RPCTool

/// Names of methods for the shell: of our own services, or of the server whose address stands before.
enum MethodCompletion {
    static let kind = CompletionKind.custom { words, _, _ in await names(words) }

    private static func names(_ words: [String]) async -> [String] {
        guard let word = words.first(where: { ServerAddress.isMeant(by: $0) && !$0.hasPrefix("-") }),
            let address = ServerAddress(word)
        else { return BuiltInContracts.names }
        // What the shell waits for is worth a second; without an answer there is nothing to offer.
        var arguments = ["--connect-timeout", "1s", "--max-time", "1s"]
        if words.contains("--plaintext") { arguments.append("--plaintext") }
        for option in ["--ca", "--cert", "--key", "--server-name", "--authority"] {
            if let index = words.firstIndex(of: option), index + 1 < words.count {
                arguments += [option, words[index + 1]]
            }
        }
        do {
            let server = try ServerOptions.parse(arguments)
            let found = Names()
            try await ToolSession.run(
                with: address, name: nil, server, try HeaderOptions.parse([]), try SchemaOptions.parse([])
            ) { session in
                let schema = try await session.source.everything()
                found.names = schema.methodNames
            }
            return found.names
        } catch {
            return []
        }
    }

    private final class Names {
        var names: [String] = []
    }
}
