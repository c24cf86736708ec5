import ArgumentParser
import EventLoop
import Foundation
import Limits
import Protobuf
import RPC
import RPCCore
import TLS

/// `meridian call`: one call of any method of our services, JSON in and JSON out.
struct Call: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Call a method of a service: JSON in, JSON out.",
        discussion: """
            METHOD is service.Method, for example channel.PlaceOrder, account-krw.GetBalance or fx.GetExchange, or the
            full name: meridian.fx.v1.FxService/GetExchange. `meridian call --methods` lists them.

            Without --address it reaches the stack that `meridian up` runs in this folder, with the operator's
            certificate; for channel.* it signs a token for --customer by itself.

            A streamed reply is printed message by message as it comes. The exit code is 0 for OK, 64 plus the
            status code for any other status, and 64 itself when the request is not valid and never left.

            EXAMPLES
              meridian call channel.GetBalances --customer alice
              meridian call channel.PlaceOrder --customer alice -d '{"clientOrderId":"a-1","symbol":"AAPL",
                "side":"SIDE_BUY","ordType":"ORD_TYPE_LIMIT","orderQty":{"unscaled":"1"},
                "price":{"unscaled":"23000","scale":2},"accountId":"alice-usd","fundingAccountId":"alice-krw"}'
              meridian call trading.ListOrderEvents -d @request.json --deadline 2s
              meridian call channel.StreamOrders --address 127.0.0.1:7443 --ca certs/ca.pem -H "authorization: Bearer $T"
            """)

    @Argument(
        help: "service.Method or full.name.Service/Method.", completion: .list(BuiltInContracts.names))
    var method: String?

    @Option(name: [.customShort("d"), .long], help: "The request: JSON, @FILE, or @- for standard input.")
    var data: String = "{}"

    @Option(name: .long, help: "host:port or unix:PATH.")
    var address: String?

    @Option(name: [.customShort("H"), .long], help: "Metadata to send, \"name: value\"; may be repeated.")
    var header: [String] = []

    @Option(name: .long, help: "Give up after this long: 500ms, 5s, 2m. Streams have no limit by default.")
    var deadline: String?

    @Option(name: .long, help: "Sign a token for this customer (needs the stack's keys).")
    var customer: String?

    @Option(name: .long, help: "The data folder of a running stack.")
    var folder: String = StackFolder.defaultPath

    @Flag(name: .long, help: "Speak in the clear, without TLS.")
    var plaintext = false

    @Option(name: .long, help: "Trust this authority's certificate (PEM file).")
    var ca: String?

    @Option(name: .long, help: "Show this certificate (PEM file); needs --key.")
    var cert: String?

    @Option(name: .long, help: "The key of --cert (PEM file).")
    var key: String?

    @Option(name: .customLong("server-name"), help: "The name that the server's certificate must bear.")
    var serverName: String?

    @Flag(name: .shortAndLong, help: "Show headers, trailers and times on standard error.")
    var verbose = false

    @Flag(name: .long, help: "One line for each reply instead of a readable form.")
    var compact = false

    @Flag(name: .customLong("methods"), help: "List the methods and exit.")
    var listsMethods = false

    func validate() throws {
        if listsMethods { return }
        guard method != nil else { throw ValidationError("METHOD is missing; --methods lists them.") }
        guard (cert == nil) == (key == nil) else { throw ValidationError("--cert and --key belong together.") }
        guard !plaintext || (ca == nil && cert == nil && serverName == nil) else {
            throw ValidationError("--plaintext goes without --ca, --cert, --key and --server-name.")
        }
    }

    func run() async throws {
        if listsMethods {
            for name in BuiltInContracts.names { print(name) }
            return
        }
        guard let method, let target = BuiltInContracts.find(method) else {
            throw ValidationError("There is no method \(method ?? ""); --methods lists them.")
        }
        let request = try Self.encode(try Self.read(data), for: target)
        let group = try EventLoopGroup(name: "call", count: 1)
        let code = try await perform(target, request, group)
        if code != 0 { throw ExitCode(code) }
    }

    private func perform(_ target: BuiltInContracts.Target, _ request: [UInt8], _ group: EventLoopGroup) async throws
        -> Int32
    {
        let stack = StackFolder(path: folder)
        let channel = RPCClientChannel(
            target: try endpoint(of: target, in: stack), tls: try tls(for: target, in: stack), group: group)
        var options = CallOptions()
        options.timeout = try deadline.map(DurationText.parse) ?? (target.method.serverStreams ? nil : .seconds(30))
        for line in header { try Self.append(line, to: &options.metadata) }
        if let customer {
            try options.metadata.append("Bearer \(try stack.token(for: customer))", for: "authorization")
        }
        let start = ContinuousClock.now
        do {
            try await channel.withCall(target.path, options: options) { call in
                try await call.send(request)
                await call.finishSending()
                if verbose { Self.show(try await call.initialMetadata(), "<") }
                while let reply = try await call.receive() {
                    let json = try target.method.output.json(
                        decoding: reply, options: JSONOptions(isPretty: !compact, includesDefaults: true))
                    print(json)
                    fflush(nil)
                }
                if verbose { Self.show(call.trailingMetadata, "<") }
            }
            if verbose { Self.complain("OK after \(start.duration(to: .now))") }
            return 0
        } catch let status as Status {
            Self.complain(StatusText.describe(status))
            if verbose { Self.complain("after \(start.duration(to: .now))") }
            return 64 + Int32(status.code.rawValue)
        }
    }

    // MARK: Where, and as whom

    private func endpoint(of target: BuiltInContracts.Target, in stack: StackFolder) throws -> Endpoint {
        guard let address else { return .unix(path: stack.socket(of: target.process, control: target.isControl)) }
        guard let endpoint = Endpoint(address) else {
            throw ValidationError("--address \(address) is neither host:port nor unix:PATH.")
        }
        return endpoint
    }

    private func tls(for target: BuiltInContracts.Target, in stack: StackFolder) throws -> TLSContext? {
        if plaintext { return nil }
        if address == nil { return try stack.certificates.client(as: "operator", to: target.process) }
        return try TLSContext(
            client: TLSClientConfiguration(
                identity: cert.flatMap { cert in
                    key.map { TLSIdentity(certificateChain: .file(cert), privateKey: .file($0)) }
                }, trustRoots: ca.map { .file($0) }, serverName: serverName))
    }

    // MARK: Text

    private static func read(_ data: String) throws -> String {
        guard data.hasPrefix("@") else { return data }
        let name = String(data.dropFirst())
        let bytes: Data
        do {
            bytes =
                name == "-"
                ? FileHandle.standardInput.readDataToEndOfFile() : try Data(contentsOf: URL(filePath: name))
        } catch {
            throw ValidationError("\(name) cannot be read.")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func encode(_ json: String, for target: BuiltInContracts.Target) throws -> [UInt8] {
        do {
            return try target.method.input.bytes(fromJSON: json)
        } catch {
            throw ValidationError("The request is no \(target.method.input.fullName): \(error)")
        }
    }

    private static func append(_ line: String, to metadata: inout Metadata) throws {
        guard let colon = line.firstIndex(of: ":") else { throw ValidationError("--header \(line): no colon.") }
        let name = line[..<colon].lowercased()
        let value = line[line.index(after: colon)...].drop { $0 == " " }
        if name.hasSuffix("-bin") {
            guard let bytes = Base64.decode(value.utf8) else { throw ValidationError("--header \(name): not base64.") }
            try metadata.append(bytes, for: name)
        } else {
            try metadata.append(String(value), for: name)
        }
    }

    private static func show(_ metadata: Metadata, _ mark: String) {
        for element in metadata {
            switch element.value {
            case .text(let text): complain("\(mark) \(element.key): \(text)")
            case .bytes(let bytes):
                complain("\(mark) \(element.key): \(String(decoding: Base64.encode(bytes), as: UTF8.self))")
            }
        }
    }

    private static func complain(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
