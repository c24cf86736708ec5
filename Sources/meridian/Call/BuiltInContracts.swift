import Contracts
import Protobuf

/// The methods of our own services, so that `call` needs neither reflection nor files.
enum BuiltInContracts {
    static let services: [(service: ServiceName?, schema: ServiceSchema)] = [
        (.channel, ChannelServiceMethods.schema),
        (.trading, TradingServiceMethods.schema),
        (.brokerGateway, BrokerGatewayServiceMethods.schema),
        (.fillReceiver, FillReceiverServiceMethods.schema),
        (.accountKRW, AccountServiceMethods.schema),
        (.accountFX, AccountServiceMethods.schema),
        (.fx, FxServiceMethods.schema),
        (.mockBroker, BrokerServiceMethods.schema),
        (.mockBroker, BrokerControlServiceMethods.schema),
    ]

    /// A method with the service process that answers it.
    struct Target {
        let process: ServiceName
        let service: ServiceSchema
        let method: MethodSchema
        var path: String { "/\(service.fullName)/\(method.name)" }
        var isControl: Bool { service.fullName == BrokerControlServiceMethods.schema.fullName }
    }

    /// Finds `channel.PlaceOrder`, `account-fx.GetBalance`, or `meridian.channel.v1.ChannelService/PlaceOrder`.
    static func find(_ name: String) -> Target? {
        if let slash = name.lastIndex(of: "/") {
            let service = name[..<slash].drop { $0 == "/" }
            return target(named: name[name.index(after: slash)...]) { $0.schema.fullName == service }
        }
        guard let dot = name.lastIndex(of: ".") else { return nil }
        let process = name[..<dot]
        return target(named: name[name.index(after: dot)...]) { $0.service?.rawValue == String(process) }
    }

    private static func target(
        named method: Substring, where matches: ((service: ServiceName?, schema: ServiceSchema)) -> Bool
    ) -> Target? {
        for entry in services where matches(entry) {
            if let process = entry.service, let found = entry.schema.method(named: String(method)) {
                return Target(process: process, service: entry.schema, method: found)
            }
        }
        return nil
    }

    /// What `find` takes, sorted, for help and completion.
    static var names: [String] {
        services.flatMap { entry in
            entry.schema.methods.map { "\(entry.service?.rawValue ?? entry.schema.fullName).\($0.name)" }
        }.sorted()
    }
}
