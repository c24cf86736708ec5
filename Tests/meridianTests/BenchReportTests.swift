import Foundation
import RPCTool
import Testing

@testable import meridian

@Suite struct BenchReportTests {
    private var report: BenchReport {
        var tally = OrderTally(outstandingLimit: 3)
        for (index, id) in ["a", "b", "c", "d"].enumerated() {
            _ = tally.arrive(id, scheduled: .seconds(2) + .milliseconds(500 * index), isMeasured: true)
        }
        tally.answer("a", at: .seconds(2) + .milliseconds(12))
        tally.fill("a", at: .seconds(2) + .milliseconds(40))
        tally.answer("b", at: .seconds(6))
        tally.fail("c", reason: "RATE_LIMITED")
        tally.abandon()
        return BenchReport(
            date: "2026-11-21T03:00:00Z",
            machine: Machine(cores: 2, processor: "A Processor", commit: "0123456789ab", configuration: "release"),
            loadBefore: 0.25, customers: 20, seconds: 2, rate: 2, warmUp: .seconds(2), tally: tally)
    }

    @Test func readsWell() {
        #expect(
            report.text == """
                orders    4 offered in 2 s by 20 customers, 1 dropped
                rate      2/s offered, 0.5/s answered, 0.5/s filled
                answer    p50 12.0 ms, p99 3.50 s, p99.9 3.50 s, max 3.50 s (2)
                fill      p50 40.0 ms, p99 40.0 ms, p99.9 40.0 ms, max 40.0 ms (1)
                errors    1 × NOT_FILLED_IN_TIME, 1 × RATE_LIMITED
                machine   2 cores, A Processor, load before 0.25
                program   release, commit 0123456789ab
                date      2026-11-21T03:00:00Z
                """)
    }

    @Test func comesBackFromJSON() throws {
        let json = try report.json()
        #expect(try JSONDecoder().decode(BenchReport.self, from: Data(json.utf8)) == report)
        #expect(json.contains("\"RATE_LIMITED\" : 1"))
    }

    @Test func saysNothingOfWhatWasNotMeasured() throws {
        let report = BenchReport(
            date: "", machine: Machine(cores: 1, processor: "", commit: "", configuration: ""), loadBefore: nil,
            customers: 1,
            seconds: 1, rate: 1, warmUp: .zero, tally: OrderTally(outstandingLimit: 1))
        #expect(report.text.contains("answer    p50 -, p99 -, p99.9 -, max - (0)"))
        #expect(report.text.contains("errors    none"))
        #expect(report.text.contains("load before unknown"))
        let json = try report.json()
        #expect(!json.contains("p50"))
    }
}

@Suite struct MachineTests {
    private static let commit = "0123456789abcdef0123456789abcdef01234567"

    @Test(arguments: [
        (["HEAD": "\(commit)\n"], "0123456789ab"),
        (["HEAD": "ref: refs/heads/main\n", "refs/heads/main": "\(commit)\n"], "0123456789ab"),
        (
            ["HEAD": "ref: refs/heads/main\n", "packed-refs": "# pack-refs\n\(commit) refs/heads/main\n"],
            "0123456789ab"
        ),
        (["HEAD": "ref: refs/heads/main\n", "packed-refs": "\(commit) refs/heads/other\n"], "unknown"),
        (["HEAD": "nonsense"], "unknown"),
        ([:], "unknown"),
    ])
    func readsTheCommit(files: [String: String], expected: String) {
        #expect(Machine.commit { files[$0] } == expected)
    }

    @Test func readsTheProcessor() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC 9V74\nflags\t\t: fpu\n"
        #expect(Machine.processor(in: text) == "AMD EPYC 9V74")
        #expect(Machine.processor(in: "") == "unknown")
    }
}
