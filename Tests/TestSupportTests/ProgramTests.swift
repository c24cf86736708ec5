import EventLoop
import Foundation
import Glibc
import Processes
import TestSupport
import Testing

@Suite struct ProgramTests {
    @Test func aProgramIsRunToItsEnd() async throws {
        let result = try await run("sh", ["-c", "cat; echo wrong >&2; exit 3"], input: "hello")
        #expect(result.status == 3 && result.text == "hello" && result.errors == "wrong\n")
    }

    @Test func variablesComeBesideOursOrInTheirPlace() async throws {
        let result = try await run(
            "sh", ["-c", "echo \"$MERIDIAN_TEST $HOME\"; command -v sh"], ["MERIDIAN_TEST": "1", "HOME": "/h"])
        #expect(result.text.hasPrefix("1 /h\n/"), "the rest is there: \(result.text)")
    }

    @Test func aFolderMayBeNamed() async throws {
        let result = try await BlockingPool.shared.run { Result { try Program.run("pwd", folder: "/usr") } }.get()
        #expect(result.text == "/usr\n")
    }

    @Test func aProgramThatHangsIsEnded() async throws {
        await #expect(throws: Program.Failure.self) {
            try await BlockingPool.shared.run {
                Result { try Program.run("sleep", ["600"], limit: .milliseconds(50)) }
            }.get()
        }
    }

    @Test func whatIsNotThereHasTheShellsStatus() async throws {
        #expect(try await run("no-such-program", []).status == 127)
    }

    /// With so many descriptors open that their list does not fit into one read of it.
    @Test func aProgramGetsNothingOfOursHoweverMuchIsOpen() async throws {
        let descriptors = (0..<3000).map { _ in unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) }
        defer { for descriptor in descriptors where descriptor >= 0 { close(descriptor) } }
        try #require(descriptors.allSatisfy { $0 >= 0 }, "open more: ulimit -n")
        let listed = try await run("sh", ["-c", "ls /proc/$$/fd; :"]).text
        #expect(listed == "0\n1\n2\n")
    }

    @Test func aPipedProgramAnswersWhileItRuns() async throws {
        let program = try PipedProgram("cat", [])
        let answer = try await BlockingPool.shared.run {
            Result {
                try program.write("hello")
                return program.read()
            }
        }.get()
        #expect(answer == "hello" && program.isRunning)
        try program.closeInput()
        #expect(try await BlockingPool.shared.run { program.exitStatus() } == 0)
    }

    private func run(
        _ path: String, _ arguments: [String], input: String = "", _ environment: [String: String] = [:]
    ) async throws -> Program.Result {
        try await BlockingPool.shared.run {
            Result { try Program.run(path, arguments, input: Data(input.utf8), environment: environment) }
        }.get()
    }
}
