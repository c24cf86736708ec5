import Foundation
import Testing

@testable import TestSupport

@Suite struct TemporaryDirectoryTests {
    /// In a folder with more entries than one read of it takes.
    @Test func whatKilledRunsLeftBehindIsFound() throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        for number in 0..<3000 { try Data().write(to: URL(filePath: "\(folder.path)/\(number)")) }
        // Above the highest number that the kernel gives a process.
        let dead = "mt-99999999-abcdef"
        for name in [dead, "mt-\(getpid())-abcdef", "mt-x"] {
            try Data().write(to: URL(filePath: "\(folder.path)/\(name)"))
        }
        #expect(TemporaryDirectory.stale(in: folder.path) == [dead])
    }
}
