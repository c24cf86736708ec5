internal import ServiceKit

/// What became of the attempts to place an order since the start of the process.
struct AttemptMetrics: Sendable {
    let accepted: Counter
    let replayed: Counter
    let refused: Counter
    let requestLost: Counter
    let replyLost: Counter

    init(_ metrics: Metrics) {
        func attempts(_ outcome: String) -> Counter {
            metrics.counter(
                "mock_broker_place_attempts_total", help: "Attempts to place an order by outcome.",
                labels: ["outcome": outcome])
        }
        accepted = attempts("accepted")
        replayed = attempts("replayed")
        refused = attempts("refused")
        requestLost = attempts("request_lost")
        replyLost = metrics.counter(
            "mock_broker_lost_replies_total", help: "Replies to place attempts that were lost on purpose.")
    }
}
