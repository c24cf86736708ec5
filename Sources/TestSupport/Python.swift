internal import Foundation

/// The Python that `./meridian test` prepares in `.build/python`, or the one that MERIDIAN_PYTHON names.
package enum Python {
    /// The interpreter if it has these modules; nil otherwise.
    package static func interpreter(importing modules: String...) -> String? {
        let named = ProcessInfo.processInfo.environment["MERIDIAN_PYTHON"]
        let candidates = [named, "\(Repository.path)/.build/python/bin/python", "/usr/bin/python3"]
        return candidates.compactMap(\.self).first { path in
            let test = "import " + modules.joined(separator: ", ")
            return (try? Program.run(path, ["-c", test]))?.status == 0
        }
    }
}

/// The folder that the tests were built from.
package enum Repository {
    package static let path = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
}
