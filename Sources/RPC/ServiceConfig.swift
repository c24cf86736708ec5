public import RPCCore

/// What the owner of a service wants of its clients: balancing, and for each method time-outs, limits and retries.
///
/// A typed form of gRPC's service config, given in code or read from its JSON. Source: gRPC, "Service Config in gRPC";
/// gRFC A6, A17, A24. The defaults change nothing: no retries, no health checks.
public struct ServiceConfig: Sendable, Hashable {
    public var loadBalancing = LoadBalancing.pickFirst
    /// The most specific entry counts: of the method, else of its service, else the one for all.
    public var methods: [MethodConfig] = []
    public var retryThrottling: RetryThrottling?
    /// The service whose health is watched on each connection, "" for the server as a whole; nil watches none. As gRFC
    /// A17 has it, only `roundRobin` watches: with one connection there is nothing to turn to.
    public var healthCheckedService: String?

    public init() {}

    /// What holds for `path` (`/package.Service/Method`).
    func method(at path: String) -> MethodConfig? {
        let parts = path.split(separator: "/", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let service = String(parts[0])
        return find(MethodName(service: service, method: String(parts[1]))) ?? find(MethodName(service: service))
            ?? find(.all)
    }

    private func find(_ name: MethodName) -> MethodConfig? { methods.first { $0.names.contains(name) } }
}

/// How a channel spreads its calls over the addresses of its target.
public enum LoadBalancing: Sendable, Hashable {
    /// One connection, to the first address that answers.
    case pickFirst
    /// A connection to every address; calls take turns on those that are ready.
    case roundRobin
}

/// Which calls an entry of the service config is about.
public struct MethodName: Sendable, Hashable {
    /// With its package; empty for every call.
    public let service: String
    /// Empty for every method of the service.
    public let method: String

    public static let all = MethodName(service: "")

    public init(service: String, method: String = "") {
        precondition(!service.isEmpty || method.isEmpty, "a method has a service")
        self.service = service
        self.method = method
    }
}

/// What holds for the calls of some methods. What a call's own options say is stricter or wins.
public struct MethodConfig: Sendable, Hashable {
    public var names: [MethodName]
    /// Unless the call's options say something else.
    public var waitsForReady: Bool?
    /// An upper bound: the earlier of it and the call's own deadline counts.
    public var timeout: Duration?
    /// An upper bound, like the next.
    public var maximumRequestBytes: Int?
    public var maximumResponseBytes: Int?
    /// Nil: failed calls are not made again.
    public var retryPolicy: RetryPolicy?

    public init(names: [MethodName]) { self.names = names }
}

/// When and how often a failed call is made again. Source: gRFC A6.
///
/// Give it only to methods that may be executed twice: a retry follows failures that leave open what the server did.
public struct RetryPolicy: Sendable, Hashable {
    /// Attempts including the first: 2 to 5; more count as 5.
    public let maximumAttempts: Int
    /// The pause before the first retry, give or take a fifth.
    public let initialBackoff: Duration
    /// No pause is longer, that fifth aside.
    public let maximumBackoff: Duration
    /// The factor between consecutive pauses, above 0.
    public let backoffMultiplier: Double
    /// Failures after which the call is made again.
    public let retryableCodes: Set<Status.Code>

    static let attemptLimit = 5

    public init(
        maximumAttempts: Int, initialBackoff: Duration, maximumBackoff: Duration, backoffMultiplier: Double,
        retryableCodes: Set<Status.Code>
    ) {
        precondition(maximumAttempts >= 2, "the first attempt is no retry")
        precondition(initialBackoff > .zero && maximumBackoff > .zero && backoffMultiplier > 0, "pauses are above zero")
        precondition(!retryableCodes.isEmpty && !retryableCodes.contains(.ok), "only failures are retried")
        self.maximumAttempts = min(maximumAttempts, Self.attemptLimit)
        self.initialBackoff = initialBackoff
        self.maximumBackoff = maximumBackoff
        self.backoffMultiplier = backoffMultiplier
        self.retryableCodes = retryableCodes
    }

    /// The pause before a retry, the first of which is number 1.
    func pause(beforeRetry number: Int, random: UInt64) -> Duration {
        var pause = initialBackoff
        for _ in 1..<max(1, number) where pause < maximumBackoff { pause = pause * backoffMultiplier }
        let permille = 800 + Int(random % 401)
        return min(pause, maximumBackoff) * permille / 1000
    }
}

/// Stops retries while too many calls fail: a bucket of tokens for all calls of a channel. Source: gRFC A6.
public struct RetryThrottling: Sendable, Hashable {
    /// Retries stop when half of them are gone; 1 to 1000.
    public let maximumTokens: Int
    /// What a successful call gives back, in thousandths of the token that a failed one takes.
    public let tokenThousandths: Int

    public init(maximumTokens: Int, tokenThousandths: Int = 100) {
        precondition((1...1000).contains(maximumTokens) && tokenThousandths > 0, "a bucket holds 1 to 1000 tokens")
        self.maximumTokens = maximumTokens
        self.tokenThousandths = tokenThousandths
    }
}
