// swift-tools-version:6.2
import PackageDescription

/// One setting for every Swift target: the strictest that the compiler offers.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

extension Target {
    static func c(_ name: String, apt package: String) -> Target {
        .systemLibrary(name: name, providers: [.apt([package])])
    }
    /// - Parameter embedding: folders whose files are embedded in the code.
    static func library(_ name: String, _ dependencies: [Dependency] = [], embedding: [String] = []) -> Target {
        .target(
            name: name, dependencies: dependencies, resources: embedding.map { .embedInCode($0) },
            swiftSettings: settings)
    }
    /// A service: a library over what all services share, with its SQL embedded.
    static func service(_ name: String, _ own: [Dependency], embedding: [String] = ["Migrations", "SQL"]) -> Target {
        let common: [Dependency] = [
            "Contracts", "Domain", "EventLoop", "Limits", "Protobuf", "RPCCore", "ServiceKit", .logging,
        ]
        return library(name, common + own, embedding: embedding)
    }
    static func tests(_ name: String, _ dependencies: [Dependency] = [], exclude: [String] = []) -> Target {
        .testTarget(
            name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, exclude: exclude,
            swiftSettings: settings)
    }
}

extension Target.Dependency {
    static let swiftProtobuf = Self.product(name: "SwiftProtobuf", package: "swift-protobuf")
    static let protobufPlugin = Self.product(name: "SwiftProtobufPluginLibrary", package: "swift-protobuf")
    static let arguments = Self.product(name: "ArgumentParser", package: "swift-argument-parser")
    static let configuration = Self.product(name: "Configuration", package: "swift-configuration")
    static let logging = Self.product(name: "Logging", package: "swift-log")
    static let deque = Self.product(name: "DequeModule", package: "swift-collections")
    static let heap = Self.product(name: "HeapModule", package: "swift-collections")
}

let package = Package(
    name: "meridian",
    products: [
        // For other packages: the runtimes that generated code needs, and the generator.
        .library(name: "Protobuf", targets: ["Protobuf"]),
        .library(name: "RPCCore", targets: ["RPCCore"]),
        .library(name: "RPC", targets: ["RPC", "EventLoop", "HTTP2", "Limits", "TLS"]),
        .library(name: "Health", targets: ["Health"]),
        .library(name: "Reflection", targets: ["Reflection"]),
        .executable(name: "protoc-gen-meridian", targets: ["protoc-gen-meridian"]),
        // For other packages' tests: a mock broker, and a broker's capability record as a test suite.
        .library(name: "MockBrokerTesting", targets: ["MockBrokerTesting", "Contracts"]),
        .library(name: "BrokerConformance", targets: ["BrokerConformance", "Contracts"]),
        // gRPC's interop tests, against any implementation.
        .executable(name: "interop-client", targets: ["interop-client"]),
        .executable(name: "interop-server", targets: ["interop-server"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // C libraries: a module map and a header each.
        .c("CLibpq", apt: "libpq-dev"),
        .c("CHiredis", apt: "libhiredis-dev"),
        .c("CNGHTTP2", apt: "libnghttp2-dev"),
        .c("COpenSSL", apt: "libssl-dev"),
        .c("CProtobufC", apt: "libprotobuf-c-dev"),
        .c("CZlib", apt: "zlib1g-dev"),
        .systemLibrary(name: "CFuzzer"),
        .target(name: "CLinux"),

        // Layer 0: pure values.
        .library("Limits", [.deque]),
        .library("Domain"),

        // Layer 1: no project target but Limits, and the C module of each.
        .library("EventLoop", ["CLinux", "Limits"]),
        .library("RPCCore", ["Limits"]),
        .library("Compression", ["CZlib"]),
        .library("Cryptography", ["COpenSSL"]),
        .library("HTTP2", ["CNGHTTP2", .deque]),
        .library("Protobuf", ["CProtobufC"]),
        .library("TLS", ["COpenSSL"]),

        // Layer 2: clients and servers on the loop.
        .library("Processes", ["CLinux", "EventLoop", "Limits"]),
        .library("RPC", ["RPCCore", "Compression", "HTTP2", "TLS", "EventLoop", "Limits", .deque]),
        .library("EventBus", ["Limits", .deque]),
        .library("Postgres", ["CLibpq", "EventLoop", "Limits", .deque]),
        .library("Redis", ["CHiredis", "EventLoop", "Limits", .deque]),

        // The generator.
        .library("RPCCodegen", [.swiftProtobuf, .protobufPlugin]),
        .executableTarget(
            name: "protoc-gen-meridian", dependencies: ["RPCCodegen", .protobufPlugin], swiftSettings: settings),

        // Layer 3: what services are made with.
        .library("Contracts", ["Domain", "Protobuf", "RPCCore"]),
        .library(
            "ServiceKit",
            ["Cryptography", "Domain", "EventBus", "EventLoop", "Limits", "Postgres", "RPCCore", .logging],
            embedding: ["Migrations", "SQL"]),
        .library("Health", ["Limits", "Protobuf", "RPCCore"]),
        .library("Reflection", ["Protobuf", "RPCCore"]),
        .library("Interop", ["EventLoop", "Limits", "Protobuf", "RPC", "RPCCore", "TLS"]),
        .library("RPCTool", ["EventLoop", "Limits", "Processes", "Protobuf", "RPC", "RPCCore", "Reflection", "TLS"]),
        .library("RedisEventBus", ["EventBus", "Limits", "Redis"]),
        .library("LocalServers", ["Processes"]),

        .library("BrokerConformance", ["Contracts", "Protobuf", "RPCCore"]),

        // Layer 4: the services. None imports another.
        .service("Accounts", ["EventBus", "Postgres", "Redis"]),
        .service("BrokerGateway", ["Cryptography", "Postgres"]),
        .service("Channel", ["Cryptography", "Postgres"]),
        .service("FillReceiver", ["Cryptography", "EventBus", "Postgres"]),
        .service("FXSaga", ["EventBus", "Postgres"]),
        .service("MockBroker", [.deque, .heap], embedding: []),
        .service("Trading", ["EventBus", "Postgres"]),

        // Layer 5: the program.
        .executableTarget(
            name: "meridian",
            dependencies: [
                "Accounts", "BrokerGateway", "Channel", "Contracts", "Cryptography", "Domain", "EventLoop", "FXSaga",
                "FillReceiver", "Health", "Limits", "LocalServers", "MockBroker", "Postgres", "Processes", "Protobuf",
                "RPC", "RPCCore", "RPCTool", "Redis", "RedisEventBus", "Reflection", "ServiceKit", "TLS", "Trading",
                .arguments,
                .configuration, .logging,
            ], swiftSettings: settings),

        // The mock broker for tests, of this package and others.
        .library(
            "MockBrokerTesting",
            [
                "Contracts", "Domain", "EventLoop", "MockBroker", "Protobuf", "RPC", "RPCCore", "ServiceKit", .logging,
            ]),

        // gRPC's interop tests, as programs.
        .executableTarget(
            name: "interop-client", dependencies: ["EventLoop", "Interop", "RPC", "TLS", .arguments],
            swiftSettings: settings),
        .executableTarget(
            name: "interop-server", dependencies: ["EventLoop", "Interop", "RPC", "RPCCore", "TLS", .arguments],
            swiftSettings: settings),

        // What tests are made with.
        .library("TestSupport", ["EventLoop", "LocalServers", "Postgres", "Processes", "Redis"]),
        .library("TestMessages", ["Protobuf"]),

        // Parsers on hostile bytes: a program, which a build of its own turns into a fuzzer.
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CFuzzer", "Compression", "HTTP2", "Protobuf", "RPC", "RPCCore", "RPCTool", "TestMessages",
            ], swiftSettings: settings),

        // Tests.
        .testTarget(name: "ArchitectureTests", swiftSettings: settings),
        .testTarget(
            name: "FuzzTests", dependencies: ["EventLoop", "TestSupport", "fuzz"], swiftSettings: settings),
        .tests("Limits"),
        .tests("EventLoop", ["Limits"]),
        .tests("Domain", exclude: ["Fixtures"]),
        .tests("RPCCore", ["Limits"]),
        .tests("Compression"),
        .tests("Cryptography", ["TestSupport"]),
        .tests("HTTP2"),
        .tests("Protobuf", ["TestMessages", "TestSupport"], exclude: ["Python"]),
        .tests("TLS", ["TestSupport"]),
        .tests(
            "RPC", ["RPCCore", "Compression", "HTTP2", "TLS", "EventLoop", "Limits", "TestSupport"], exclude: ["Python"]
        ),
        .tests("Postgres", ["EventLoop", "Limits", "TestSupport"]),
        .tests("Redis", ["EventLoop", "Limits", "TestSupport"]),
        .tests("EventBus", ["Limits", "TestSupport"]),
        .tests("RedisEventBus", ["EventBus", "EventLoop", "Limits", "Redis", "TestSupport"]),
        .tests("TestSupport", ["EventLoop", "LocalServers", "Postgres", "Processes"]),
        .tests(
            "RPCCodegen",
            [
                "EventLoop", "Protobuf", "RPC", "RPCCore", "TestSupport", "protoc-gen-meridian", .swiftProtobuf,
                .protobufPlugin,
            ], exclude: ["ForeignPackage"]),
        .tests("Contracts", ["Domain", "RPCCore"]),
        .tests("Health", ["EventLoop", "RPC", "RPCCore", "TestSupport"], exclude: ["Python"]),
        .tests(
            "Reflection", ["EventLoop", "Health", "Protobuf", "RPC", "RPCCore", "TestSupport"], exclude: ["Python"]),
        .tests(
            "Interop",
            [
                "EventLoop", "Limits", "Protobuf", "RPC", "RPCCore", "TLS", "TestSupport", "interop-client",
                "interop-server",
            ], exclude: ["Python"]),
        .tests(
            "RPCTool", ["EventLoop", "Limits", "Protobuf", "RPC", "RPCCore", "Reflection", "TLS", "TestSupport"],
            exclude: ["Python"]),
        .tests(
            "ServiceKit",
            [
                "Domain", "EventBus", "EventLoop", "Limits", "Postgres", "RPC", "RPCCore", "TestSupport", .logging,
            ]),
        .tests(
            "Accounts",
            [
                "Contracts", "Domain", "EventBus", "Limits", "Postgres", "Protobuf", "RPC", "RPCCore", "Redis",
                "ServiceKit", "TestSupport", .logging,
            ]),
        .tests(
            "BrokerGateway",
            [
                "Contracts", "EventLoop", "Limits", "Postgres", "RPC", "RPCCore", "ServiceKit", "TestSupport", .logging,
            ]),
        .tests(
            "Channel",
            [
                "Contracts", "Cryptography", "Domain", "EventLoop", "Limits", "Postgres", "Protobuf", "RPC", "RPCCore",
                "ServiceKit", "TestSupport", .logging,
            ]),
        .tests(
            "FillReceiver",
            [
                "Contracts", "Domain", "EventBus", "EventLoop", "Limits", "Postgres", "Protobuf", "RPC", "RPCCore",
                "ServiceKit", "TestSupport", .logging,
            ]),
        .tests(
            "FXSaga",
            [
                "Contracts", "Domain", "EventBus", "EventLoop", "Limits", "Postgres", "Protobuf", "RPC", "RPCCore",
                "ServiceKit", "TestSupport", .logging,
            ]),
        .tests(
            "MockBroker",
            ["Contracts", "Domain", "EventLoop", "Limits", "Protobuf", "RPC", "RPCCore", "ServiceKit", .logging]),
        .tests(
            "MockBrokerTesting", ["Contracts", "EventLoop", "Protobuf", "RPC", "RPCCore", "TestSupport"],
            exclude: ["Python"]),
        .tests("BrokerConformance", ["Contracts", "MockBrokerTesting", "Protobuf", "RPCCore"]),
        .tests(
            "meridian",
            [
                "Contracts", "Domain", "EventLoop", "Protobuf", "RPC", "RPCCore", "RPCTool", "TestSupport", .arguments,
                .configuration,
            ], exclude: ["Peers"]),
        .tests(
            "Trading",
            [
                "Contracts", "Domain", "EventBus", "EventLoop", "Limits", "Postgres", "Protobuf", "RPCCore",
                "ServiceKit", "TestSupport", .logging,
            ]),
        .testTarget(
            name: "AttackTests",
            dependencies: ["Compression", "EventLoop", "RPC", "RPCCore", "TestSupport", "meridian"],
            swiftSettings: settings),
        .testTarget(
            name: "StackTests",
            dependencies: [
                "Channel", "Contracts", "Cryptography", "Domain", "EventLoop", "Limits", "Postgres", "Protobuf", "RPC",
                "RPCCore", "RPCTool", "Reflection", "ServiceKit", "TestSupport", "meridian",
            ], exclude: ["Client"], swiftSettings: settings),
    ]
)
