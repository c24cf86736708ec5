internal import RPCCore

/// What is wrong with the text of a service config, and where.
public struct ServiceConfigError: Error, Hashable, CustomStringConvertible {
    /// Such as `methodConfig[0].retryPolicy.maxAttempts`; empty when the text is no JSON.
    public let path: String
    public let problem: String

    public var description: String { path.isEmpty ? problem : "\(path): \(problem)" }
}

extension ServiceConfig {
    /// Reads gRPC's JSON form. Fields that it does not know are ignored, as the format wants it; hedging is refused,
    /// since a call that its owner wants hedged would behave otherwise than said.
    public init(json text: String) throws(ServiceConfigError) {
        let json: JSONText
        do {
            json = try JSONText(parsing: text)
        } catch {
            throw ServiceConfigError(path: "", problem: "no JSON: \(error.problem) at byte \(error.offset)")
        }
        self.init()
        let root = JSONField(path: "", value: json)
        try root.expectObject()
        loadBalancing = try Self.loadBalancing(root)
        var names: Set<MethodName> = []
        for field in try root["methodConfig"]?.elements ?? [] {
            let method = try MethodConfig(field)
            for name in method.names where !names.insert(name).inserted {
                throw field.failure("\(name.service)/\(name.method) is named twice")
            }
            methods.append(method)
        }
        retryThrottling = try root["retryThrottling"].map(RetryThrottling.init(field:))
        if let health = try root["healthCheckConfig"] {
            healthCheckedService = try health["serviceName"]?.text ?? ""
        }
    }

    private static func loadBalancing(_ root: JSONField) throws(ServiceConfigError) -> LoadBalancing {
        if let list = try root["loadBalancingConfig"] {
            for field in try list.elements {
                guard case .object(let members) = field.value, members.count == 1 else {
                    throw field.failure("is an object with one policy")
                }
                if let policy = LoadBalancing(name: members[0].key) { return policy }
            }
            throw list.failure("none of its policies is known")
        }
        guard let field = try root["loadBalancingPolicy"] else { return .pickFirst }
        guard let policy = LoadBalancing(name: try field.text.lowercased()) else { throw field.failure("is not known") }
        return policy
    }
}

extension LoadBalancing {
    fileprivate init?(name: String) {
        switch name {
        case "pick_first": self = .pickFirst
        case "round_robin": self = .roundRobin
        default: return nil
        }
    }
}

extension MethodConfig {
    fileprivate init(_ field: JSONField) throws(ServiceConfigError) {
        var names: [MethodName] = []
        for name in try field["name"]?.elements ?? [] {
            let service = try name["service"]?.text ?? ""
            let method = try name["method"]?.text ?? ""
            guard !service.isEmpty || method.isEmpty else { throw name.failure("a method without its service") }
            names.append(MethodName(service: service, method: method))
        }
        self.init(names: names)
        waitsForReady = try field["waitForReady"]?.flag
        timeout = try field["timeout"]?.duration
        maximumRequestBytes = try field["maxRequestMessageBytes"]?.count
        maximumResponseBytes = try field["maxResponseMessageBytes"]?.count
        retryPolicy = try field["retryPolicy"].map(RetryPolicy.init(field:))
        if let hedging = try field["hedgingPolicy"] { throw hedging.failure("hedging is not supported") }
    }
}

extension RetryPolicy {
    fileprivate init(field: JSONField) throws(ServiceConfigError) {
        let attempts = try field.required("maxAttempts")
        guard try attempts.count >= 2 else { throw attempts.failure("is at least 2") }
        let multiplier = try field.required("backoffMultiplier")
        guard try multiplier.number > 0 else { throw multiplier.failure("is above 0") }
        let codes = try field.required("retryableStatusCodes")
        var retryable: Set<Status.Code> = []
        for code in try codes.elements { retryable.insert(try code.failureCode) }
        guard !retryable.isEmpty else { throw codes.failure("is not empty") }
        self.init(
            maximumAttempts: try attempts.count, initialBackoff: try field.required("initialBackoff").pause,
            maximumBackoff: try field.required("maxBackoff").pause, backoffMultiplier: try multiplier.number,
            retryableCodes: retryable)
    }
}

extension RetryThrottling {
    fileprivate init(field: JSONField) throws(ServiceConfigError) {
        let tokens = try field.required("maxTokens")
        guard (1...1000).contains(try tokens.count) else { throw tokens.failure("is between 1 and 1000") }
        let ratio = try field.required("tokenRatio")
        // Three decimal places count.
        let thousandths = try ratio.number * 1000
        guard thousandths >= 1, thousandths < 1_000_000_000 else { throw ratio.failure("is above 0") }
        self.init(maximumTokens: try tokens.count, tokenThousandths: Int(thousandths.rounded(.down)))
    }
}
