import ServiceKit
import Testing

@Test func metricsAreShownAsPrometheusText() {
    let metrics = Metrics()
    metrics.counter("orders_total", help: "Orders.", labels: ["side": "BUY"]).increment(by: 2)
    metrics.counter("orders_total", help: "Orders.", labels: ["side": "BUY"]).increment()
    metrics.gauge("depth", help: "Depth.").set(-4)
    let histogram = metrics.histogram("wait_seconds", help: "Waits.", labels: ["pool": "a\"b"])
    histogram.record(.microseconds(100))
    histogram.record(.milliseconds(3))
    histogram.record(.seconds(90))
    let text = metrics.exposition()
    #expect(text.hasPrefix("# HELP depth Depth.\n# TYPE depth gauge\ndepth -4\n"))
    #expect(text.contains("# TYPE orders_total counter\norders_total{side=\"BUY\"} 3\n"))
    #expect(text.contains("wait_seconds_bucket{pool=\"a\\\"b\",le=\"0.0001\"} 1\n"))
    #expect(text.contains("wait_seconds_bucket{pool=\"a\\\"b\",le=\"0.005\"} 2\n"))
    #expect(text.contains("wait_seconds_bucket{pool=\"a\\\"b\",le=\"60\"} 2\n"))
    #expect(text.contains("wait_seconds_bucket{pool=\"a\\\"b\",le=\"+Inf\"} 3\n"))
    #expect(text.contains("wait_seconds_sum{pool=\"a\\\"b\"} 90.0031\nwait_seconds_count{pool=\"a\\\"b\"} 3\n"))
}

@Test func labelsCannotBlowTheSeriesUp() {
    let metrics = Metrics(seriesLimit: 10)
    for number in 0..<1000 {
        metrics.counter("calls_total", help: "Calls.", labels: ["method": "\(number)"]).increment()
    }
    let lines = metrics.exposition().split(separator: "\n").filter { $0.hasPrefix("calls_total{") }
    #expect(lines.count == 11)
    #expect(lines.contains("calls_total{method=\"other\"} 990"))
}

@Test(arguments: [(0, "0"), (1, "0.00001"), (10_000, "0.00001"), (10_001, "0.00005"), (100_000_000_000, "100")])
func callDurationsFallIntoTheBucketsOfA66(_ nanoseconds: Int, _ bucket: String) {
    let metrics = Metrics()
    metrics.histogram("h", help: "", scale: .callDurations).record(nanoseconds)
    let counted = metrics.exposition().split(separator: "\n").first { $0.hasPrefix("h_bucket") && $0.hasSuffix(" 1") }
    #expect(counted == "h_bucket{le=\"\(bucket)\"} 1")
}
