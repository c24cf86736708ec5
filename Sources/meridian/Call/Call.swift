import ArgumentParser
import Contracts
import Foundation
import Protobuf
import RPCCore
import RPCTool

/// `meridian call`: calls a method of any gRPC server.
struct Call: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Call a method of any gRPC server: JSON or text format in and out.",
        discussion: """
            call METHOD reaches the stack that `meridian up` runs, with the operator's certificate. METHOD is
            service.Method there, for example channel.PlaceOrder; `meridian list --methods` lists them. For channel.* it
            signs a token for --customer by itself.

            call ADDRESS METHOD reaches any server. ADDRESS is host:port or https://host (TLS), http://host:port (in the
            clear) or unix:PATH; METHOD is package.Service/Method, and parts before the method may be left out while only one
            fits. The server tells what it speaks by reflection, unless --proto or --descriptor-set does.

            Requests: -d gives one or more messages, one behind the other; -d @FILE and -d @- read them. A method that
            takes one message is called once for each, in order, on one connection. A method that takes a stream is called
            once: messages are sent as they are read, replies printed as they come. In text format, messages are kept
            apart by the byte 0x1e, both ways.

            EXIT CODES
              0        OK
              1        a reply could not be shown, a file not written
              2        no connection: the name, the port, TLS
              3        no schema: reflection refused, no such method, protoc missing
              64       the command or the request is not valid; nothing was sent of it
              65...80  64 plus the code of the status: 67 INVALID_ARGUMENT, 68 DEADLINE_EXCEEDED, 69 NOT_FOUND, ...

            EXAMPLES
              meridian call channel.GetBalances --customer alice
              meridian call channel.PlaceOrder --customer alice -d '{"clientOrderId":"a-1","symbol":"AAPL",
                "side":"SIDE_BUY","ordType":"ORD_TYPE_LIMIT","orderQty":{"unscaled":"1"},
                "price":{"unscaled":"23000","scale":2},"accountId":"alice-usd","fundingAccountId":"alice-krw"}'
              meridian call http://127.0.0.1:50051 example.v1.Library/GetBook -d '{"id":7}'
              meridian call api.example.com:443 Library/Upload -d @books.json -vv --max-time 30s
              meridian call unix:/run/library.sock Library/Chat -d @- --format text
              meridian call api.example.com:443 Library/GetBook -H @secrets.txt -H 'x-id: $ID' --expand-headers
              meridian call 127.0.0.1:7443 channel.StreamOrders --ca certs/ca.pem -H "authorization: Bearer $T"
              meridian call unix:/run/library.sock Library/Upload -d @books.json --compression deflate
              meridian call localhost:50051 Library/GetBook --plaintext --proto library.proto -I protos

            COMPLETION: meridian --generate-completion-script bash > ~/.local/share/bash-completion/completions/meridian
            (or zsh, fish). Methods are completed too, also those of a server whose address stands before.
            """)

    @Argument(help: "[ADDRESS] METHOD", completion: MethodCompletion.kind)
    var words: [String] = []

    @Option(
        name: [.customShort("d"), .long],
        help: "The requests, @FILE, or @- for standard input; {} for a single one if missing.")
    var data: String?

    @Option(name: .long, help: "json or text, both ways.")
    var format = Format.json

    @Flag(name: .customLong("allow-unknown-fields"), help: "Read over names that the schema does not know.")
    var allowsUnknownFields = false

    @Flag(name: .customLong("emit-defaults"), help: "Print fields that have their default.")
    var emitsDefaults = false

    @Flag(name: .long, help: "One line for each reply instead of a readable form.")
    var compact = false

    @Flag(name: .customLong("format-error"), help: "Print a status that is not OK as JSON (google.rpc.Status).")
    var formatsError = false

    @Flag(name: .customLong("keep-going"), help: "Go on with the next request after a call that failed.")
    var keepsGoing = false

    @Option(name: .long, help: "How the requests are compressed; a server that does not know it says UNIMPLEMENTED.")
    var compression = Compression.identity

    @Flag(
        name: .shortAndLong, help: "-v: headers, trailers and sizes on standard error; -vv: the time of each step, too."
    )
    var verbose: Int

    @OptionGroup(title: "Server")
    var server: ServerOptions

    @OptionGroup(title: "Headers")
    var headers: HeaderOptions

    @OptionGroup(title: "Schema")
    var schema: SchemaOptions

    @Option(name: .long, help: "Sign a token for this customer (needs the stack's keys).")
    var customer: String?

    @Option(name: .long, help: "The data folder of a running stack.", completion: .directory)
    var folder: String = StackFolder.defaultPath

    enum Compression: String, ExpressibleByArgument, CaseIterable {
        case identity, gzip, deflate

        var encoding: MessageEncoding {
            switch self {
            case .identity: .identity
            case .gzip: .gzip
            case .deflate: .deflate
            }
        }
    }

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case json, text
    }

    func validate() throws {
        let words = try Words(words, nameIsCalled: "METHOD")
        guard words.name != nil else { throw ValidationError("METHOD is missing; meridian list --methods lists ours.") }
        if words.address == nil { try server.checkForOwnServices() }
        guard data != "@-" || !headers.readsStandardInput else {
            throw ValidationError("Standard input cannot hold both headers and requests.")
        }
    }

    func run() async throws {
        try await Terminal.run {
            let words = try Words(words, nameIsCalled: "METHOD")
            let name = words.name ?? ""
            if let address = words.address {
                try await ToolSession.run(
                    with: address, name: name, server, headers, schema, verbosity: verbose
                ) { session in
                    try await call(name, session)
                }
            } else {
                guard let target = BuiltInContracts.find(name) else {
                    throw ToolFailure.invalid(
                        "Our services have no method \(name); meridian list --methods lists them. For another server, its "
                            + "address comes first.")
                }
                let stack = StackFolder(path: folder)
                guard let address = ServerAddress("unix:\(stack.socket(of: target.process, control: target.isControl))")
                else { throw ToolFailure.invalid("\(folder) cannot hold sockets.") }
                let tls = try stack.certificates.client(as: "operator", to: target.process)
                try await ToolSession.run(
                    server.settings(for: address, tls: tls), name: name, server, headers, schema, verbosity: verbose
                ) { session in
                    try await call(name, session)
                }
            }
        }
    }

    private func call(_ name: String, _ session: ToolSession) async throws {
        let (method, found) = try await find(name, session)
        try await schema.save(found)
        var settings = CallRun.Settings()
        settings.format = MessageText(format == .json ? .json : .text, types: found.types)
        settings.format.includesDefaults = emitsDefaults
        settings.format.ignoresUnknownFields = allowsUnknownFields
        settings.format.isCompact = compact
        settings.metadata = session.metadata
        if let customer {
            try settings.metadata.append(
                "Bearer \(try StackFolder(path: folder).token(for: customer))", for: "authorization")
        }
        let isSingle = !method.schema.clientStreams && !method.schema.serverStreams
        settings.timeout = isSingle ? .seconds(30) : nil
        settings.encoding = compression.encoding
        settings.detail = CallRun.Detail(rawValue: min(verbose, 2)) ?? .replies
        settings.keepsGoing = keepsGoing
        settings.writesErrorsAsJSON = formatsError
        settings.explain = { WireErrorDetail($0) == nil ? nil : StatusText.describe($0) }
        let requests = try RequestSource(try input(for: method), settings.format, as: method.schema.input)
        var run = CallRun(
            method, on: session.connection, settings, source: session.source, steps: session.steps,
            output: Terminal.output)
        try await run.run(requests)
    }

    private func find(_ name: String, _ session: ToolSession) async throws -> (CallableMethod, Schema) {
        let known = schema.proto.isEmpty && schema.descriptorSet.isEmpty && !schema.reflection
        if known, let target = BuiltInContracts.find(name) {
            return (target.callable, try await session.source.schema(of: target.service.fullName))
        }
        return try await session.source.method(name)
    }

    private func input(for method: CallableMethod) throws -> RequestSource.Input {
        guard let data else { return method.schema.clientStreams ? .text("") : .empty }
        if data == "@-" { return .reader(InputReader(descriptor: 0, name: "standard input")) }
        return .text(try InputText.read(data))
    }
}
