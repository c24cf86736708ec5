import Foundation

/// Where and with what a figure was measured: a figure without it says nothing.
struct Machine: Sendable, Hashable, Codable {
    let cores: Int
    let processor: String
    let commit: String
    /// "debug" or "release".
    let configuration: String

    /// - Parameter home: the repository's folder.
    static func this(home: String) -> Machine {
        let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        #if DEBUG
            let configuration = "debug"
        #else
            let configuration = "release"
        #endif
        return Machine(
            cores: ProcessInfo.processInfo.activeProcessorCount, processor: processor(in: information),
            commit: commit { try? String(contentsOfFile: "\(home)/.git/\($0)", encoding: .utf8) },
            configuration: configuration)
    }

    /// Processes that wanted to run, on average over the last minute. Source: proc(5), /proc/loadavg.
    static func load() -> Double? {
        let text = try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)
        return text?.split(separator: " ").first.flatMap { Double($0) }
    }

    /// The model in the text of /proc/cpuinfo.
    static func processor(in information: String) -> String {
        for line in information.split(separator: "\n") where line.hasPrefix("model name") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        return "unknown"
    }

    /// The commit that HEAD names, in 12 digits.
    /// - Parameter file: the content of a file in the `.git` folder. Source: gitrepository-layout(5).
    static func commit(reading file: (String) -> String?) -> String {
        guard let head = file("HEAD")?.trimmingCharacters(in: .whitespacesAndNewlines) else { return "unknown" }
        guard head.hasPrefix("ref: ") else { return short(head) }
        let name = String(head.dropFirst("ref: ".count))
        if let loose = file(name)?.trimmingCharacters(in: .whitespacesAndNewlines) { return short(loose) }
        for line in (file("packed-refs") ?? "").split(separator: "\n") where line.hasSuffix(" \(name)") {
            return short(String(line))
        }
        return "unknown"
    }

    private static func short(_ commit: String) -> String {
        let digits = commit.prefix { $0.isHexDigit }.prefix(12)
        return digits.count == 12 ? String(digits) : "unknown"
    }
}
