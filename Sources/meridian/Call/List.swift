import ArgumentParser
import Protobuf
import RPCTool

/// `meridian list`: what services there are, and what methods they have.
struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List services, or the methods of one.",
        discussion: """
            Without ADDRESS it lists our own services, else those of the server there, which tells by reflection (v1, or v1alpha
            when it refuses that in whatever way), or what --proto or --descriptor-set say.

            EXAMPLES
              meridian list
              meridian list channel
              meridian list --methods
              meridian list http://127.0.0.1:50051
              meridian list api.example.com:443 example.v1.Library
              meridian list --proto library.proto -I protos
            """)

    @Argument(help: "[ADDRESS] [SERVICE]")
    var words: [String] = []

    @Flag(name: .long, help: "List the methods of all services, as `call` takes them.")
    var methods = false

    @OptionGroup(title: "Server")
    var server: ServerOptions

    @OptionGroup(title: "Headers")
    var headers: HeaderOptions

    @OptionGroup(title: "Schema")
    var schema: SchemaOptions

    func validate() throws { _ = try Words(words, nameIsCalled: "[SERVICE]") }

    func run() async throws {
        try await Terminal.run {
            let words = try Words(words, nameIsCalled: "[SERVICE]")
            if let address = words.address {
                try await ToolSession.run(with: address, name: words.name, server, headers, schema) { session in
                    try await list(words.name, session.source)
                }
            } else if let files = try await schema.files() {
                try await list(words.name, files)
            } else if words.name == nil, schema.saveSchema == nil, schema.saveProtos == nil {
                if methods {
                    for name in BuiltInContracts.names { say(name) }
                } else {
                    for (process, _, service) in BuiltInContracts.services {
                        let name = process.rawValue
                        say(name + String(repeating: " ", count: max(1, 16 - name.count)) + service.fullName)
                    }
                }
            } else {
                try await list(words.name.map(BuiltInContracts.fullName), try BuiltInContracts.source())
            }
        }
    }

    private func list(_ service: String?, _ source: any SchemaSource) async throws {
        if let service {
            let found = try await source.schema(of: service)
            guard let definition = found.types.service(named: service) else {
                throw ToolFailure.noSchema("\(service) is no service of \(source.name).")
            }
            for method in definition.methods { say("\(definition.fullName)/\(method.name)") }
            return try await schema.save(found)
        }
        if methods {
            for name in try await source.everything().methodNames { say(name) }
        } else {
            for name in try await source.serviceNames() { say(name) }
        }
        try await schema.save(try await source.everything())
    }
}
