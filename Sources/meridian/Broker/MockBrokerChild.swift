import Foundation
import Processes
import RPCTool

/// `meridian mock-broker` in a process of its own, on ports that the kernel chooses. Its calls block: use them on a
/// `BlockingPool`.
final class MockBrokerChild: Sendable {
    let addresses: MockBrokerProcess.Addresses
    let process: ChildProcess
    private let output: String

    /// Starts it and waits until it serves; it also ends with this process.
    ///
    /// - Parameters:
    ///   - arguments: beyond the ports.
    ///   - program: `meridian`; this program if missing.
    ///   - environment: its whole environment; that of this process if missing.
    ///   - limit: for its line; without it the process is ended, and what it wrote is in the error.
    init(
        _ arguments: [String] = [], program: String? = nil, environment: [String: String]? = nil,
        limit: Duration = .seconds(30)
    ) throws {
        let clean = environment.map { ["env", "-i"] + $0.map { "\($0)=\($1)" } } ?? []
        let program =
            try program ?? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        output = "\(FileManager.default.temporaryDirectory.path)/mock-broker-\(UUID().uuidString).out"
        process = try ChildProcess(
            ["setpriv", "--pdeathsig", "KILL"] + clean + [
                program, "mock-broker", "--port", "0", "--control-port", "0", "--json",
            ]
                + arguments, logPath: output)
        let deadline = ContinuousClock.now + limit
        while true {
            let hasEnded = process.hasEnded
            let data = FileManager.default.contents(atPath: output) ?? Data()
            // Whole lines only: the rest of the last one is still to come.
            for line in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
                if let addresses = try? JSONDecoder().decode(MockBrokerProcess.Addresses.self, from: Data(line)) {
                    self.addresses = addresses
                    return
                }
            }
            guard !hasEnded, .now < deadline else {
                process.send(SIGKILL)
                process.wait()
                try? FileManager.default.removeItem(atPath: output)
                throw ToolFailure.other("The broker does not serve: \(String(decoding: data, as: UTF8.self))")
            }
            usleep(2000)
        }
    }

    /// What it wrote so far, to both of its outputs.
    var text: String { String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self) }

    /// Ends it (SIGTERM, SIGKILL if that does not help within 5 s) and returns its wait status: 0 when it ended as asked.
    @discardableResult
    func stop() -> Int32 {
        process.send(SIGTERM)
        let deadline = ContinuousClock.now + .seconds(5)
        while !process.hasEnded, .now < deadline { usleep(2000) }
        process.send(SIGKILL)
        defer { try? FileManager.default.removeItem(atPath: output) }
        return process.wait()
    }
}
