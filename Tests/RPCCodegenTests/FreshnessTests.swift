import Foundation
import TestSupport
import Testing

@Suite struct FreshnessTests {
    /// The committed output is the golden file: generated anew, it must be the same.
    @Test func committedOutputIsFresh() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let plugin = try Program.built("protoc-gen-meridian")
        #expect(throws: Never.self, "Protos/generate writes it anew") {
            try Protoc.run(
                root.appending(path: "Protos/generate").path, ["--check"], environment: ["PLUGIN": plugin])
        }
    }
}
