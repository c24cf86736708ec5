// swift-tools-version:6.2
import PackageDescription

/// A package as users have it: it knows Meridian by path only, and takes the strictest settings.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "shop",
    dependencies: [.package(name: "meridian", path: Context.environment["MERIDIAN_PATH"] ?? "../meridian")],
    targets: [
        // Messages that several targets share.
        .target(
            name: "Base", dependencies: [.product(name: "Protobuf", package: "meridian")], swiftSettings: settings),
        .executableTarget(
            name: "Shop",
            dependencies: [
                "Base", .product(name: "Protobuf", package: "meridian"), .product(name: "RPC", package: "meridian"),
                .product(name: "RPCCore", package: "meridian"), .product(name: "Reflection", package: "meridian"),
            ],
            swiftSettings: settings),
        // The quick start of RPC's documentation.
        .executableTarget(
            name: "Hello",
            dependencies: [
                .product(name: "Protobuf", package: "meridian"), .product(name: "RPC", package: "meridian"),
                .product(name: "RPCCore", package: "meridian"),
            ],
            swiftSettings: settings),
    ]
)
