internal import Contracts
internal import Protobuf
internal import RPCCore

extension BrokerConformance {
    func fillsAddUp() async throws {
        try claimed(setting.fillsMarketOrders, "market orders do not fill by themselves here")
        let placed = try await place(order("fills", shares: 5, rests: false))
        let reports = try await listUntil("the last fill") {
            $0.orderID == placed.orderID && $0.ordStatus == .filled
        }.compactMap(\.report).filter { $0.orderID == placed.orderID }
        var total: Int64 = 0
        for report in reports where report.execType == .trade {
            guard let last = report.lastQty, let cum = report.cumQty, last.scale == cum.scale else {
                throw Disagreement.violation("a fill has no last_qty or cum_qty, or of different scales")
            }
            total += last.unscaled
            try check(cum.unscaled == total, "cum_qty is \(cum.unscaled), and the fills add up to \(total)")
            try check(report.lastPx != nil, "a fill has no price")
        }
        try check(reports.last?.leavesQty?.unscaled == 0, "a filled order has shares left")
    }

    func executionIDs() async throws {
        let reports = try await list().compactMap(\.report)
        guard claims.execIDSupported else {
            try check(reports.allSatisfy { $0.execID.isEmpty }, "reports have execution ids that the record denies")
            return
        }
        try check(reports.allSatisfy { !$0.execID.isEmpty }, "a report has no exec_id")
        try check(Set(reports.map(\.execID)).count == reports.count, "two reports have one exec_id")
    }

    func feedResumes() async throws {
        try claimed(claims.cursorSupported, "the feed has no cursors")
        let all = try await list()
        try claimed(all.count >= 4, "there are too few reports")
        for index in [0, all.count / 2, all.count - 2] {
            let next = all[index + 1]
            let seen = try await stream(from: all[index].cursor) { !$0.reports.isEmpty }.reports
            try check(
                seen.first?.report?.execID == next.report?.execID,
                "a stream from the cursor of report \(all[index].sequence) begins elsewhere")
        }
        let status = try await refusal("a cursor that was never given") {
            try await stream(from: "no-cursor-at-all") { !$0.isEmpty }
        }
        try check(status.code == .invalidArgument, "a cursor that was never given ends with \(status.code)")
    }

    func feedEqualsList() async throws {
        let all = try await list()
        try claimed(!all.isEmpty, "there are no reports")
        let count = all.count
        let seen = try await stream(from: "") { $0.reports.count >= count }.reports
        let lines = { (reports: [BrokerSequencedReport]) in
            reports.map { "\($0.sequence) \($0.report?.execID ?? "") \($0.report?.execType ?? .unspecified)" }
        }
        try check(lines(Array(seen.prefix(count))) == lines(all), "stream and list do not show the same")
        for (report, next) in zip(all, all.dropFirst()) {
            try check(next.sequence == report.sequence + 1, "after \(report.sequence) comes \(next.sequence)")
        }
    }

    func heartbeats() async throws {
        let all = try await list()
        let seen = try await stream(from: all.last?.cursor ?? "") { events in
            events.contains { if case .heartbeat = $0 { true } else { false } }
        }
        guard case .heartbeat(let heartbeat)? = seen.last else {
            throw Disagreement.violation("no heartbeat came")
        }
        try check(
            heartbeat.lastSequence >= all.last?.sequence ?? 0,
            "the heartbeat says \(heartbeat.lastSequence), and there is \(all.last?.sequence ?? 0)")
        try check(
            heartbeat.lastSequence == 0 || !heartbeat.lastCursor.isEmpty, "the heartbeat carries no cursor")
    }
}
