import EventLoop
import Foundation
import TestSupport
import Testing

struct HardWordTests {
    /// Names that are hard on Swift compile wherever they stand, without a warning.
    @Test(.timeLimit(.minutes(5)), arguments: HardWords.allCases)
    func everyWordIsAName(_ words: HardWords) async throws {
        let result = try await BlockingPool.shared.run { Result { try Self.compile(words.proto) } }.get()
        #expect(result.status == 0, "\(result.errors.prefix(4000))")
    }

    /// Against the modules that this build has made; nothing is written.
    private static func compile(_ proto: String) throws -> Program.Result {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        var files: [String] = []
        for (name, text) in try Protoc.generate(["words.proto": proto], parameter: "Visibility=Public") {
            files.append("\(folder.path)/\(name)")
            try text.write(toFile: files.last!, atomically: true, encoding: .utf8)
        }
        let features = ["ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility"]
        return try Program.run(
            "swiftc",
            [
                "-typecheck", "-swift-version", "6", "-strict-memory-safety", "-warnings-as-errors", "-module-name",
                "Words", "-I", "\(try Program.products())/Modules", "-Xcc",
                "-fmodule-map-file=\(Repository.path)/Sources/CProtobufC/module.modulemap",
            ] + features.flatMap { ["-enable-upcoming-feature", $0] } + files, limit: .seconds(240))
    }
}
