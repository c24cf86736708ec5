import Logging
import RPC
import ServiceKit
import Synchronization

/// Counts connections that a server has refused, and logs them: at most ten lines a second, so that attackers fill no
/// disk, and how many were left out.
final class RefusalReport: Sendable {
    private struct Lines {
        var second = ContinuousClock.now
        var written = 0
        var leftOut = 0
    }

    private static let linesPerSecond = 10
    private let log: Logger
    private let counters: [RefusedConnection.Reason: Counter]
    private let lines = Mutex(Lines())

    init(_ log: Logger, _ metrics: Metrics) {
        self.log = log
        counters = Dictionary(
            uniqueKeysWithValues: RefusedConnection.Reason.allCases.map { reason in
                let counter = metrics.counter(
                    "meridian_rpc_connections_refused_total", help: "Connections ended for what their clients did.",
                    labels: ["reason": reason.rawValue])
                return (reason, counter)
            })
    }

    func report(_ refused: RefusedConnection) {
        counters[refused.reason]?.increment()
        let leftOut: Int? = lines.withLock { lines in
            let now = ContinuousClock.now
            if now - lines.second >= .seconds(1) { (lines.second, lines.written) = (now, 0) }
            guard lines.written < Self.linesPerSecond else {
                lines.leftOut += 1
                return nil
            }
            lines.written += 1
            defer { lines.leftOut = 0 }
            return lines.leftOut
        }
        guard let leftOut else { return }
        var facts: Logger.Metadata = [
            "reason": "\(refused.reason.rawValue)", "peer": "\(refused.address)", "text": "\(refused.text)",
        ]
        if leftOut > 0 { facts["left_out"] = "\(leftOut)" }
        log.warning("connection.refused", metadata: facts)
    }
}
