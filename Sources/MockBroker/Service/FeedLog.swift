internal import Contracts
internal import Logging
internal import ServiceKit

/// Tells log and metrics of every report that reaches the disk while the broker runs.
struct FeedLog {
    let core: BrokerCore
    let environment: ServiceEnvironment

    /// Returns when the broker stops.
    func run() async {
        let reports = environment.metrics.counter(
            "mock_broker_reports_total", help: "Reports on the execution feed, copies not counted.")
        /// What was told of each namespace. What is there at the start was told by another process.
        var told = core.durableEnds
        while true {
            let rings = core.feedBell.rings
            var isQuiet = true
            let ends = core.durableEnds
            told = told.filter { ends[$0.key] != nil }
            for space in ends.keys {
                // A namespace that ends meanwhile has nothing more to tell.
                guard
                    let page = try? core.feed(
                        in: space, after: told[space] ?? 0, limit: 64, { book, sequence, _ in book.report(sequence) })
                else { continue }
                for report in page.reports {
                    reports.increment()
                    log(report)
                }
                told[space, default: 0] += page.reports.count
                if !page.reports.isEmpty { isQuiet = false }
            }
            guard isQuiet else { continue }
            guard core.isRunning, !Task.isCancelled else { return }
            await core.feedBell.wait(past: rings)
        }
    }

    private func log(_ sequenced: BrokerSequencedReport) {
        guard let report = sequenced.report else { return }
        TraceContext.$current.withValue(TraceContext(traceparent: report.traceparent)) {
            environment.log.info(
                "execution.reported",
                metadata: [
                    "exec_type": "\(report.execType)", "exec_id": "\(report.execID)", "order_id": "\(report.orderID)",
                    "client_order_id": "\(report.clientOrderID)", "sequence": "\(sequenced.sequence)",
                    "ord_status": "\(report.ordStatus)",
                ])
        }
    }
}
