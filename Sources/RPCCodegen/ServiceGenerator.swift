import SwiftProtobufPluginLibrary

/// Writes what a service needs: its methods, the protocol that a server implements, and the client.
struct ServiceGenerator {
    let service: ServiceDescriptor
    let names: TypeNames
    let access: String
    private let methods: [MethodModel]

    private var name: String { names.name(of: service) }
    private var methodsName: String { name + "Methods" }
    private var clientName: String { name + "Client" }

    init(_ service: ServiceDescriptor, names: TypeNames, access: String) throws {
        self.service = service
        self.names = names
        self.access = access
        methods = service.methods.map { MethodModel($0, names: names) }
        var scope = NameScope(service.fullName)
        for method in methods {
            try scope.add(method.name, for: method.descriptor, called: method.descriptor.name)
        }
    }

    /// The types that are written for a service.
    static func types(of service: ServiceDescriptor, names: TypeNames) -> [String] {
        let name = names.name(of: service)
        return [name + "Methods"] + (names.options.server ? [name] : [])
            + (names.options.client ? [name + "Client"] : [])
    }

    func write(to writer: inout SourceWriter) {
        writeMethods(to: &writer)
        if names.options.server {
            writer.line()
            writeProtocol(to: &writer)
            writer.line()
            writeRegistration(to: &writer)
        }
        if names.options.client {
            writer.line()
            writeClient(to: &writer)
        }
    }

    private func writeMethods(to writer: inout SourceWriter) {
        writer.comment("The methods of `\(service.fullName)`.")
        writer.block("\(access)enum \(methodsName)") { writer in
            for method in methods {
                let type = "RPCCore.MethodDescriptor<\(method.input), \(method.output)>"
                writer.line("\(access)static let \(method.escapedName) = \(type)(")
                writer.indented { writer in
                    writer.line("service: \"\(service.fullName)\",")
                    writer.line("method: \"\(method.descriptor.name)\",")
                    writer.line("shape: .\(method.shape),")
                    writer.line("request: \(Self.coder(of: method.input)),")
                    writer.line("response: \(Self.coder(of: method.output))")
                }
                writer.line(")")
                writer.line()
            }
            writer.comment("The name of the service and what it offers.")
            writer.line("\(access)static let service = RPCCore.ServiceDescriptor(")
            writer.indented { writer in
                writer.line("fullName: \"\(service.fullName)\",")
                let items = methods.map { ".init(name: \"\($0.descriptor.name)\", shape: .\($0.shape))" }
                writer.array("methods: ", items, ",")
                writer.line("files: \(FileDescriptors.constant)")
            }
            writer.line(")")
            writer.line()
            writer.comment("The types of the messages, for calls whose types are known only at run time.")
            writer.line("\(access)static let schema = Protobuf.ServiceSchema(")
            writer.indented { writer in
                writer.line("\"\(service.fullName)\",")
                writer.array("", methods.map(Self.schema))
            }
            writer.line(")")
        }
    }

    private static func coder(of type: String) -> String {
        "RPCCore.MessageCoder(decode: { try \(type)(decoding: $0) }, encode: { $0.encoded() })"
    }

    private static func schema(of method: MethodModel) -> String {
        var parts = ["\"\(method.descriptor.name)\"", "\(method.input).schema", "\(method.output).schema"]
        if method.descriptor.clientStreaming { parts.append("clientStreams: true") }
        if method.descriptor.serverStreaming { parts.append("serverStreams: true") }
        return ".init(\(parts.joined(separator: ", ")))"
    }

    private func writeProtocol(to writer: inout SourceWriter) {
        writer.comment(
            names.documentation(of: service) ?? "What a server of `\(service.fullName)` implements.")
        writer.block("\(access)protocol \(name): RPCCore.RPCService") { writer in
            for (index, method) in methods.enumerated() {
                if index > 0 { writer.line() }
                writer.comment(names.documentation(of: method.descriptor))
                let context = "context: RPCCore.ServerContext"
                let requests = "_ requests: RPCCore.RequestStream<\(method.input)>"
                let responses = "responses: RPCCore.ResponseStream<\(method.output)>"
                switch method.shape {
                case .unary:
                    writer.list(
                        "func \(method.escapedName)", ["_ request: \(method.input)", context],
                        " async throws -> \(method.output)")
                case .serverStreaming:
                    writer.list(
                        "func \(method.escapedName)", ["_ request: \(method.input)", responses, context],
                        " async throws")
                case .clientStreaming:
                    writer.list(
                        "func \(method.escapedName)", [requests, context], " async throws -> \(method.output)")
                case .bidirectional:
                    writer.list("func \(method.escapedName)", [requests, responses, context], " async throws")
                }
            }
        }
    }

    private func writeRegistration(to writer: inout SourceWriter) {
        writer.block("extension \(name)") { writer in
            writer.comment("Makes the methods known to a server.")
            writer.block("\(access)func register(in registry: inout RPCCore.ServiceRegistry)") { writer in
                writer.line("registry.describe(\(methodsName).service)")
                for method in methods {
                    let (function, arguments) =
                        switch method.shape {
                        case .unary: ("addUnary", "$0, context: $1")
                        case .serverStreaming: ("addServerStreaming", "$0, responses: $1, context: $2")
                        case .clientStreaming: ("addClientStreaming", "$0, context: $1")
                        case .bidirectional: ("addBidirectional", "$0, responses: $1, context: $2")
                        }
                    writer.line("registry.\(function)(\(methodsName).\(method.escapedName)) {")
                    writer.indented { $0.line("try await \(method.escapedName)(\(arguments))") }
                    writer.line("}")
                }
            }
        }
    }

    private func writeClient(to writer: inout SourceWriter) {
        writer.comment("A client of `\(service.fullName)`. Its methods throw `Status`.")
        writer.block("\(access)struct \(clientName): Sendable") { writer in
            writer.line("\(access)let channel: any RPCCore.RPCChannel")
            writer.line()
            writer.line("\(access)init(_ channel: any RPCCore.RPCChannel) { self.channel = channel }")
            for method in methods {
                writer.line()
                writer.comment(names.documentation(of: method.descriptor))
                write(method, to: &writer)
            }
        }
    }

    private func write(_ method: MethodModel, to writer: inout SourceWriter) {
        let options = "options: RPCCore.CallOptions = .defaults"
        let descriptor = "\(methodsName).\(method.escapedName)"
        let requests = "RPCCore.RequestWriter<\(method.input)>"
        let responses = "RPCCore.ResponseSequence<\(method.output)>"
        switch method.shape {
        case .unary:
            writer.list(
                "\(access)func \(method.escapedName)", ["_ request: \(method.input)", options],
                " async throws -> \(method.output) {")
            writer.indented { $0.line("try await channel.unary(\(descriptor), request, options: options)") }
        case .serverStreaming:
            writer.list(
                "\(access)func \(method.escapedName)<Returned>",
                ["_ request: \(method.input)", options, "_ body: (\(responses)) async throws -> Returned"],
                " async throws -> Returned {")
            writer.indented {
                $0.line("try await channel.serverStreaming(\(descriptor), request, options: options, body)")
            }
        case .clientStreaming:
            writer.list(
                "\(access)func \(method.escapedName)", [options, "_ body: (\(requests)) async throws -> Void"],
                " async throws -> \(method.output) {")
            writer.indented { $0.line("try await channel.clientStreaming(\(descriptor), options: options, body)") }
        case .bidirectional:
            writer.list(
                "\(access)func \(method.escapedName)<Returned>",
                [options, "_ body: (\(requests), \(responses)) async throws -> Returned"],
                " async throws -> Returned {")
            writer.indented { $0.line("try await channel.bidirectional(\(descriptor), options: options, body)") }
        }
        writer.line("}")
    }
}

/// One method as the templates need it.
struct MethodModel {
    let descriptor: SwiftProtobufPluginLibrary.MethodDescriptor
    let name: String
    let input: String
    let output: String
    let shape: Shape

    /// The cases of `RPCCore.CallShape`.
    enum Shape: String { case unary, serverStreaming, clientStreaming, bidirectional }

    init(_ method: SwiftProtobufPluginLibrary.MethodDescriptor, names: TypeNames) {
        descriptor = method
        let name = SwiftIdentifier.lowerCamel(method.name)
        self.name = Self.reserved.contains(name) ? name + "Method" : name
        input = names.name(of: method.inputType)
        output = names.name(of: method.outputType)
        shape =
            switch (method.clientStreaming, method.serverStreaming) {
            case (false, false): .unary
            case (false, true): .serverStreaming
            case (true, false): .clientStreaming
            case (true, true): .bidirectional
            }
    }

    var escapedName: String { SwiftIdentifier.escaped(name) }

    private static let reserved: Set<String> = ["service", "schema", "channel", "self", "init", "Type"]
}
