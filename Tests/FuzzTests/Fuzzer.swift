import Foundation
import TestSupport

/// The program `fuzz`, built with libFuzzer. Blocks: call it on a thread that may wait.
///
/// Its build has a folder of its own, kept between runs, since every module is compiled for coverage there. Flags on the
/// command line do what `unsafeFlags` in the manifest would do, which other packages could not depend on.
enum Fuzzer {
    struct Outcome {
        let inputs: Int
        /// What broke, and the input that did it; nil when nothing did.
        let problem: String?
    }

    struct BuildFailure: Error, CustomStringConvertible {
        let description: String
    }

    /// - Returns: where the program is.
    static func build() throws -> String {
        let folder = "\(Repository.path)/.build/fuzz"
        let built = try Program.run(
            "swift",
            [
                "build", "--package-path", Repository.path, "--scratch-path", folder, "--product", "fuzz", "-j", "1",
                "--disable-automatic-resolution", "-Xswiftc", "-sanitize=fuzzer,address", "-Xswiftc", "-DFUZZING",
                // The other linker stumbles over the sanitizer's symbols.
                "-Xswiftc", "-use-ld=lld",
            ], limit: .seconds(900))
        guard built.status == 0 else { throw BuildFailure(description: "\(built.text.suffix(4000)) \(built.errors)") }
        return "\(folder)/debug/fuzz"
    }

    static func search(_ program: String, _ parser: String, seed: UInt32, seconds: Int) throws -> Outcome {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        try FileManager.default.createDirectory(atPath: "\(folder.path)/corpus", withIntermediateDirectories: true)
        let ran = try Program.run(
            program,
            [
                parser, "-seed=\(seed)", "-max_total_time=\(seconds)", "-timeout=5", "-rss_limit_mb=1024",
                "-malloc_limit_mb=64", "-artifact_prefix=\(folder.path)/", "-print_final_stats=1",
                "\(folder.path)/corpus",
            ],
            environment: ["SWIFT_BACKTRACE": "enable=no", "ASAN_OPTIONS": "detect_leaks=0"],
            limit: .seconds(seconds + 60))
        return Outcome(inputs: count(in: ran.errors), problem: ran.status == 0 ? nil : problem(in: ran.errors))
    }

    private static func count(in log: String) -> Int {
        let mark = "stat::number_of_executed_units:"
        let line = log.split(separator: "\n").last { $0.hasPrefix(mark) }
        return line.flatMap { Int($0.dropFirst(mark.count).trimmingCharacters(in: .whitespaces)) } ?? 0
    }

    /// The lines that say what happened, and the input in base64.
    private static func problem(in log: String) -> String {
        let lines = log.split(separator: "\n").filter { line in
            ["Fatal error", "Precondition failed", "ERROR", "Base64:"].contains { line.contains($0) }
        }
        return lines.joined(separator: "\n")
    }
}
