import Contracts
import Protobuf
import RPCCore
import RPCTool

/// The contracts of our own services, so that they need neither reflection nor files.
enum BuiltInContracts {
    static let services: [(process: ServiceName, descriptor: ServiceDescriptor, schema: ServiceSchema)] = [
        (.channel, ChannelServiceMethods.service, ChannelServiceMethods.schema),
        (.trading, TradingServiceMethods.service, TradingServiceMethods.schema),
        (.brokerGateway, BrokerGatewayServiceMethods.service, BrokerGatewayServiceMethods.schema),
        (.fillReceiver, FillReceiverServiceMethods.service, FillReceiverServiceMethods.schema),
        (.accountKRW, AccountServiceMethods.service, AccountServiceMethods.schema),
        (.accountFX, AccountServiceMethods.service, AccountServiceMethods.schema),
        (.fx, FxServiceMethods.service, FxServiceMethods.schema),
        (.mockBroker, BrokerServiceMethods.service, BrokerServiceMethods.schema),
        (.mockBroker, BrokerControlServiceMethods.service, BrokerControlServiceMethods.schema),
    ]

    /// A method with the service process that answers it.
    struct Target {
        let process: ServiceName
        let service: ServiceSchema
        let method: MethodSchema
        var path: String { callable.path }
        var callable: CallableMethod { CallableMethod(service: service.fullName, schema: method) }
        var isControl: Bool { service.fullName == BrokerControlServiceMethods.schema.fullName }
    }

    /// Finds `channel.PlaceOrder`, `account-fx.GetBalance`, or `meridian.channel.v1.ChannelService/PlaceOrder`.
    static func find(_ name: String) -> Target? {
        if let slash = name.lastIndex(of: "/") {
            let service = String(name[..<slash].drop { $0 == "/" })
            return target(named: name[name.index(after: slash)...]) { $0.schema.fullName == service }
        }
        guard let dot = name.lastIndex(of: ".") else { return nil }
        let process = String(name[..<dot])
        return target(named: name[name.index(after: dot)...]) { $0.process.rawValue == process }
    }

    /// The full name behind a name of ours: `channel`, `channel.PlaceOrder`; others stay as they are.
    static func fullName(of name: String) -> String {
        if let entry = services.first(where: { $0.process.rawValue == name }) { return entry.schema.fullName }
        return find(name).map { "\($0.service.fullName).\($0.method.name)" } ?? name
    }

    /// What the contracts say, for `list` and `describe`.
    static func source() throws -> SchemaFiles {
        let files = try services.flatMap {
            try $0.descriptor.files.map { try Google_Protobuf_FileDescriptorProto(decoding: $0) }
        }
        return try SchemaFiles(files, name: "the built-in contracts")
    }

    private static func target(
        named method: Substring,
        where matches: ((process: ServiceName, descriptor: ServiceDescriptor, schema: ServiceSchema)) -> Bool
    ) -> Target? {
        for entry in services where matches(entry) {
            if let found = entry.schema.method(named: String(method)) {
                return Target(process: entry.process, service: entry.schema, method: found)
            }
        }
        return nil
    }

    /// What `find` takes, sorted, for lists and completion.
    static var names: [String] {
        services.flatMap { entry in entry.schema.methods.map { "\(entry.process.rawValue).\($0.name)" } }.sorted()
    }
}
