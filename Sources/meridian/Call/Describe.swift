import ArgumentParser
import Protobuf
import RPCTool

/// `meridian describe`: what a service, method, message, enum or field is, as `.proto` source.
struct Describe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print services, methods, messages, enums and fields as .proto source.",
        discussion: """
            SYMBOL is a full name, for example example.v1.Library, example.v1.Library/GetBook, example.v1.Book or
            example.v1.Book.title; without it all services are printed. Without ADDRESS it is about our own services.

            EXAMPLES
              meridian describe channel.PlaceOrder
              meridian describe meridian.channel.v1.PlaceOrderRequest --template > request.json
              meridian describe http://127.0.0.1:50051 example.v1.Library
              meridian describe api.example.com:443 --save-protos protos
            """)

    @Argument(help: "[ADDRESS] [SYMBOL]")
    var words: [String] = []

    @Flag(name: .long, help: "Print a message with all its fields, in JSON, to be filled in; of a method, its request.")
    var template = false

    @OptionGroup(title: "Server")
    var server: ServerOptions

    @OptionGroup(title: "Headers")
    var headers: HeaderOptions

    @OptionGroup(title: "Schema")
    var schema: SchemaOptions

    func validate() throws {
        let words = try Words(words, nameIsCalled: "[SYMBOL]")
        guard !template || words.name != nil else { throw ValidationError("--template needs a SYMBOL.") }
    }

    func run() async throws {
        try await Terminal.run {
            let words = try Words(words, nameIsCalled: "[SYMBOL]")
            if let address = words.address {
                try await ToolSession.run(with: address, name: words.name, server, headers, schema) { session in
                    try await describe(words.name, session.source)
                }
            } else if let files = try await schema.files() {
                try await describe(words.name, files)
            } else {
                try await describe(words.name.map(BuiltInContracts.fullName), try BuiltInContracts.source())
            }
        }
    }

    private func describe(_ name: String?, _ source: any SchemaSource) async throws {
        let found: Schema
        let names: [String]
        if let name {
            found = try await source.schema(of: name)
            names = [name]
        } else {
            found = try await source.everything()
            names = found.serviceNames
        }
        for (index, name) in names.enumerated() {
            guard let symbol = found.symbol(named: name) else {
                throw ToolFailure.noSchema("\(source.name) does not define \(name).")
            }
            if index > 0 { say("") }
            if template {
                say(try template(of: symbol, in: found))
            } else {
                say("// \(symbol.fullName) is \(symbol.kind) in \(symbol.file.name ?? "?")")
                say(try ProtoSource.text(of: symbol, in: found))
            }
        }
        try await schema.save(found)
    }

    private func template(of symbol: Symbol, in found: Schema) throws -> String {
        guard let message = symbol.messageName.flatMap({ found.types.message(named: $0) }) else {
            throw ToolFailure.invalid(
                "\(symbol.fullName) is \(symbol.kind): only messages and methods have a template.")
        }
        return message.template.text(pretty: true)
    }
}
