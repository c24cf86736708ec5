import Foundation
import Testing

@Suite struct FreshnessTests {
    /// The committed output is the golden file: generated anew, it must be the same.
    @Test func committedOutputIsFresh() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let products = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            .deletingLastPathComponent()
        try Protoc.run(
            root.appending(path: "Protos/generate").path, ["--check"],
            environment: ["PLUGIN": products.appending(path: "protoc-gen-meridian").path])
    }
}
