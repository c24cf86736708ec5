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
        var sequence = core.summary.reports
        while true {
            let rings = core.feedBell.rings
            let page = core.feed(after: sequence, limit: 64) { book, sequence in book.report(sequence) }
            for report in page.reports {
                reports.increment()
                log(report)
            }
            sequence += page.reports.count
            guard page.reports.isEmpty else { continue }
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
