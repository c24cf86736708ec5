/// What one target under `Sources` may import.
///
/// The compiler does not check this by itself: a target sees every module that was built before it.
struct TargetRule: Sendable {
    /// The name of the target and of its folder.
    let target: String
    /// Project targets and C modules that it may name in an `import`.
    let targets: Set<String>
    /// Modules of other packages and of the toolchain, beyond `TargetRule.everywhere`.
    let modules: Set<String>
    /// Why this row is as it is, where the layer alone does not tell.
    let reason: String

    /// What every target may import: no I/O, no dependency.
    static let everywhere: Set<String> = ["Swift", "Synchronization"]

    init(_ target: String, _ targets: Set<String> = [], modules: Set<String> = [], reason: String = "") {
        self.target = target
        self.targets = targets
        self.modules = modules
        self.reason = reason
    }

    func allows(_ module: String) -> Bool {
        targets.contains(module) || modules.contains(module) || Self.everywhere.contains(module)
    }
}

extension TargetRule {
    /// What every service may import: contracts, values, the runtime's protocols, and what all services share.
    private static func service(
        _ target: String, _ own: Set<String> = [], modules: Set<String> = [], reason: String = ""
    ) -> TargetRule {
        let shared: Set<String> = ["Contracts", "Domain", "EventLoop", "Limits", "Protobuf", "RPCCore", "ServiceKit"]
        return TargetRule(target, shared.union(own), modules: modules.union(["Logging"]), reason: reason)
    }

    static let services: Set<String> = [
        "Accounts", "BrokerGateway", "Channel", "FXSaga", "FillReceiver", "MockBroker", "Trading",
    ]
    static let cModules: Set<String> = [
        "CFuzzer", "CHiredis", "CLibpq", "CLinux", "CNGHTTP2", "COpenSSL", "CProtobufC", "CZlib",
    ]

    /// One row for each folder under `Sources`, by layer. A row may only name targets of the rows above it.
    static let all: [TargetRule] = [
        // C libraries: a module map and a header each, no Swift.
        TargetRule("CFuzzer"),
        TargetRule("CHiredis"),
        TargetRule("CLibpq"),
        TargetRule("CLinux"),
        TargetRule("CNGHTTP2"),
        TargetRule("COpenSSL"),
        TargetRule("CProtobufC"),
        TargetRule("CZlib"),

        // Layer 0: pure values.
        TargetRule(
            "Limits", modules: ["DequeModule", "Glibc"],
            reason: "The bounded queue is a deque inside, and the clock is a system call."),
        TargetRule("Domain"),

        // Layer 1: no I/O but in EventLoop; one wrapper for each C library.
        TargetRule("RPCCore", ["Limits"]),
        TargetRule(
            "EventLoop", ["CLinux", "Limits"], modules: ["Glibc"], reason: "Sockets and epoll are system calls."),
        TargetRule(
            "TLS", ["COpenSSL"], modules: ["Glibc"], reason: "Whether certificate files have changed is told by stat."),
        TargetRule(
            "Cryptography", ["COpenSSL"],
            reason: "The second wrapper of OpenSSL: hashes and signatures, for targets that know nothing of TLS."),
        TargetRule("Compression", ["CZlib"]),
        TargetRule(
            "HTTP2", ["CNGHTTP2"], modules: ["DequeModule", "Glibc"],
            reason: "The library's memory is pooled per thread."),
        TargetRule("Protobuf", ["CProtobufC"], modules: ["Glibc"], reason: "protobuf-c takes memory by malloc."),

        // Layer 2: clients and servers on the loop. RPC never imports Domain.
        TargetRule(
            "RPC", ["Compression", "EventLoop", "HTTP2", "Limits", "RPCCore", "TLS"],
            modules: ["DequeModule", "Glibc"], reason: "Header fields are compared by memcmp."),
        TargetRule(
            "Postgres", ["CLibpq", "EventLoop", "Limits"], modules: ["DequeModule", "Glibc"],
            reason: "libpq gives a socket; its strings are C strings."),
        TargetRule("Redis", ["CHiredis", "EventLoop", "Limits"], modules: ["DequeModule"]),
        TargetRule(
            "Processes", ["CLinux", "EventLoop", "Limits"], modules: ["Glibc"],
            reason: "Other programs are started by posix_spawn; some of it is C in CLinux."),
        TargetRule("EventBus", ["Limits"], modules: ["DequeModule"]),

        // Layer 3: what services are made with.
        TargetRule("RedisEventBus", ["EventBus", "EventLoop", "Limits", "Redis"]),
        TargetRule("Contracts", ["Domain", "Protobuf", "RPCCore"]),
        TargetRule(
            "ServiceKit", ["Cryptography", "Domain", "EventBus", "EventLoop", "Limits", "Postgres", "RPCCore"],
            modules: ["Glibc", "Logging"],
            reason: "The outbox is a table and an event; migrations are known by their hash; the clock is the system's."
        ),
        TargetRule(
            "Health", ["Limits", "Protobuf", "RPCCore"],
            reason: "grpc.health.v1 for any server: it knows nothing of trading, so it is not in Contracts."),
        TargetRule(
            "Reflection", ["Protobuf", "RPCCore"],
            reason: "grpc.reflection.v1 and v1alpha for any server; beside Health for the same reason."),
        TargetRule(
            "RPCTool", ["EventLoop", "Limits", "Processes", "Protobuf", "RPC", "RPCCore", "Reflection", "TLS"],
            modules: ["Foundation", "Glibc"],
            reason: "The client for any gRPC server: it knows nothing of trading, runs protoc, reads and writes files."
        ),
        TargetRule(
            "Interop", ["EventLoop", "Limits", "Protobuf", "RPC", "RPCCore", "TLS"],
            reason: "gRPC's interop tests, both sides: for the runtime's own sake, so it knows nothing of trading."),
        TargetRule(
            "LocalServers", ["Processes"], modules: ["Glibc"],
            reason: "Private PostgreSQL and Redis, for the program and for tests alike."),
        TargetRule(
            "BrokerConformance", ["Contracts", "Protobuf", "RPCCore"],
            reason: "It tests any broker by its contract alone."),

        // Layer 4: the services. None names another.
        service(
            "Accounts", ["EventBus", "Postgres", "Redis"], reason: "Redis locks keep contenders for an account apart."),
        service("BrokerGateway", ["Cryptography", "Postgres"], reason: "The journal keeps a hash of each request."),
        service(
            "Channel", ["Cryptography", "Postgres"], modules: ["FoundationEssentials"],
            reason: "Customers' tokens are signed, and are JSON."),
        service("FXSaga", ["EventBus", "Postgres"]),
        service("FillReceiver", ["Cryptography", "EventBus", "Postgres"], reason: "Events are known by a hash."),
        service(
            "MockBroker", modules: ["DequeModule", "Glibc", "HeapModule"],
            reason: "Its truth is one file, which it writes and syncs itself: no database."),
        service("Trading", ["EventBus", "Postgres"]),

        // Layer 5: the program picks transport, stores and bus.
        TargetRule(
            "meridian",
            services.union([
                "Contracts", "Cryptography", "Domain", "EventLoop", "Health", "Limits", "LocalServers", "Postgres",
                "Processes", "Protobuf", "RPC", "RPCCore", "RPCTool", "Redis", "RedisEventBus", "Reflection",
                "ServiceKit", "TLS",
            ]),
            modules: ["ArgumentParser", "Configuration", "Foundation", "Glibc", "Logging", "SystemPackage"]),

        // The mock broker for tests, of this package and others.
        TargetRule(
            "MockBrokerTesting",
            ["Contracts", "Domain", "EventLoop", "MockBroker", "Protobuf", "RPC", "RPCCore", "ServiceKit"],
            modules: ["FoundationEssentials", "Logging"]),

        // gRPC's interop tests, as programs.
        TargetRule(
            "interop-client", ["EventLoop", "Interop", "RPC", "TLS"], modules: ["ArgumentParser", "Foundation"]),
        TargetRule(
            "interop-server", ["EventLoop", "Interop", "RPC", "RPCCore", "TLS"],
            modules: ["ArgumentParser", "Foundation"]),

        // The generator: apart from all others.
        TargetRule(
            "RPCCodegen", modules: ["Foundation", "SwiftProtobuf", "SwiftProtobufPluginLibrary"],
            reason: "Descriptors go into the code as base64."),
        TargetRule("protoc-gen-meridian", ["RPCCodegen"], modules: ["SwiftProtobufPluginLibrary"]),

        // What tests are made with.
        TargetRule(
            "TestSupport", ["EventLoop", "LocalServers", "Postgres", "Processes", "Redis"],
            modules: ["Foundation", "Glibc"]),
        TargetRule("TestMessages", ["Protobuf"]),
        TargetRule(
            "fuzz",
            ["CFuzzer", "Compression", "HTTP2", "Protobuf", "RPC", "RPCCore", "RPCTool", "TestMessages"],
            modules: ["Glibc"], reason: "Every parser that sees a stranger's bytes."),
    ]
}
