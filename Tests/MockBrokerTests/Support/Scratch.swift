import FoundationEssentials

/// A directory of this test alone, removed at the end.
final class Scratch: Sendable {
    let directory: String
    private let isOwner: Bool

    /// A directory that somebody else removes.
    init(sharing directory: String) {
        self.directory = directory
        isOwner = false
    }

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "mock-broker-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        directory = url.path
        isOwner = true
    }

    deinit { if isOwner { try? FileManager.default.removeItem(atPath: directory) } }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path(name)))) }

    func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
        try Data(bytes).write(to: URL(filePath: path(name)))
    }
}
