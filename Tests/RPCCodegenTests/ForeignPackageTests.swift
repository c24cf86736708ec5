import EventLoop
import Foundation
import TestSupport
import Testing

/// A package of somebody else that knows this one by its path: generated, compiled and run as users do it.
struct ForeignPackageTests {
    /// Kept between runs, so that only what has changed is compiled again.
    private static let folder = "\(Repository.path)/.build/foreign-package"

    @Test(.timeLimit(.minutes(10))) func compilesAndRuns() async throws {
        let built = try await BlockingPool.shared.run { Result { try Self.build() } }.get()
        try #require(built.status == 0, "\(built.text.suffix(4000)) \(built.errors)")
        let ran = try await BlockingPool.shared.run {
            Result { try Program.run("\(Self.folder)/.build/debug/Shop") }
        }.get()
        try #require(ran.status == 0, "\(ran.text) \(ran.errors)")
        #expect(
            ran.text == """
                messages shop.v1.Order.order_id: the text is not valid UTF-8
                json {"orderId":"o-1","limit":0,"price":{"units":"5","currency":"KRW"},"lines":[{"sku":"a",\
                "count":"18446744073709551615"}],"labels":{"raw":"+/8="},"cash":{"units":"1"},\
                "placedAt":"1970-01-01T00:00:01Z","extra":{"@type":"type.googleapis.com/base.Money","units":"7"}}
                json lines[0].count: -1 is out of range: from 0 to 18446744073709551615
                unary INVALID_ARGUMENT no order id
                streams ["a"] 3 1
                reflection grpc.reflection.v1.ServerReflection grpc.reflection.v1alpha.ServerReflection shop.v1.Shop

                """)
        let hello = try await BlockingPool.shared.run {
            Result { try Program.run("\(Self.folder)/.build/debug/Hello") }
        }.get()
        #expect(try hello.text == QuickStart.block(after: "It prints:"))
        #expect(hello.status == 0, "\(hello.errors)")
    }

    private static func build() throws -> Program.Result {
        let manager = FileManager.default
        let fixture = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "ForeignPackage").path
        try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // With the versions that this build has, so that nothing is looked up.
        let items = ["Package.swift", "Sources", "protos"].map { ($0, "\(fixture)/\($0)") }
        for (item, source) in items + [("Package.resolved", "\(Repository.path)/Package.resolved")]
        where manager.fileExists(atPath: source) {
            if manager.fileExists(atPath: "\(folder)/\(item)") { try manager.removeItem(atPath: "\(folder)/\(item)") }
            try manager.copyItem(atPath: source, toPath: "\(folder)/\(item)")
        }
        try generate("base/money.proto", into: "Base", "Visibility=Public,FileNaming=DropPath")
        try generate("shop/v1/shop.proto", into: "Shop", "FileNaming=PathToUnderscores,ModuleMapping=base/:Base")
        for file in ["protos/hello/v1/hello.proto", "Sources/Hello/Hello.swift"] {
            let path = "\(folder)/\(file)"
            let parent = URL(filePath: path).deletingLastPathComponent().path
            try manager.createDirectory(atPath: parent, withIntermediateDirectories: true)
            try QuickStart.block(after: "`\(file)`:").write(toFile: path, atomically: true, encoding: .utf8)
        }
        try generate("hello/v1/hello.proto", into: "Hello", "")
        return try Program.run(
            "swift", ["build", "--package-path", folder, "-j", "1"], environment: ["MERIDIAN_PATH": Repository.path],
            limit: .seconds(500))
    }

    private static func generate(_ proto: String, into target: String, _ options: String) throws {
        let output = "\(folder)/Sources/\(target)/Generated"
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        try Protoc.run(
            "protoc",
            [
                "-I", "\(folder)/protos", "-I", "/usr/include",
                "--plugin=protoc-gen-meridian=\(try Program.built("protoc-gen-meridian"))",
                "--meridian_opt=\(options)", "--meridian_out=\(output)", proto,
            ])
    }
}

/// The page of RPC's documentation that newcomers copy from.
private enum QuickStart {
    /// The code block that follows a line.
    static func block(after line: String) throws -> String {
        let page = try String(
            contentsOfFile: "\(Repository.path)/Sources/RPC/Documentation.docc/QuickStart.md", encoding: .utf8)
        let rest = try #require(page.components(separatedBy: "\n\(line)\n").dropFirst().first, "no \(line)")
        let parts = rest.components(separatedBy: "```")
        let block = try #require(parts.count > 2 ? parts[1] : nil)
        // The first line names the language.
        return String(block.drop { $0 != "\n" }.dropFirst())
    }
}
