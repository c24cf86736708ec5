internal import Contracts
internal import Protobuf
internal import RPCCore

extension BrokerConformance {
    /// An id of this run.
    func id(_ text: String) -> String { "\(setting.idPrefix)-\(text)" }

    /// A purchase of `shares` that rests, or fills when it has no limit.
    func order(
        _ text: String, shares: Int64 = 1, rests: Bool = true, type: WireOrdType? = nil,
        for time: WireTimeInForce = .day
    ) -> BrokerPlaceOrderRequest {
        let type = type ?? (rests ? .limit : .market)
        return BrokerPlaceOrderRequest(
            clientOrderID: id(text), account: setting.account, symbol: setting.symbol, side: .buy, ordType: type,
            orderQty: WireDecimal(unscaled: shares, scale: 0), price: type == .limit ? setting.restingPrice : nil,
            timeInForce: time)
    }

    var options: CallOptions { CallOptions(timeout: setting.patience) }

    func place(_ request: BrokerPlaceOrderRequest) async throws -> BrokerOrder {
        guard let order = try await broker.placeOrder(request, options: options).order else {
            throw Disagreement.violation("the answer to a placement has no order")
        }
        return order
    }

    /// The status that `body` fails with.
    func refusal(_ what: String, _ body: () async throws -> some Any) async throws -> Status {
        do {
            _ = try await body()
        } catch let error as Disagreement {
            throw error
        } catch {
            return Status(describing: error)
        }
        throw Disagreement.violation("\(what) was taken")
    }

    func check(_ isSo: Bool, _ otherwise: @autoclosure () -> String) throws {
        guard isSo else { throw Disagreement.violation(otherwise()) }
    }

    func claimed(_ isSo: Bool, _ otherwise: String) throws {
        guard isSo else { throw Disagreement.notClaimed(otherwise) }
    }

    /// All reports after `cursor` that a list shows.
    func list(after cursor: String = "") async throws -> [BrokerSequencedReport] {
        var reports: [BrokerSequencedReport] = []
        var request = BrokerListExecutionsRequest(cursor: cursor, pageSize: 500)
        while true {
            let page = try await broker.listExecutions(request, options: options)
            reports += page.reports
            guard !page.complete else { return reports }
            try check(page.nextCursor != request.cursor, "a page that is not complete does not lead on")
            request.cursor = page.nextCursor
        }
    }

    /// Waits until a list shows a report that `isWanted`, and gives all up to then.
    func listUntil(
        _ what: String, _ isWanted: (BrokerExecutionReport) -> Bool
    ) async throws -> [BrokerSequencedReport] {
        let end = ContinuousClock.now + setting.patience
        while true {
            let reports = try await list()
            if reports.contains(where: { $0.report.map(isWanted) ?? false }) { return reports }
            guard ContinuousClock.now < end else {
                throw Disagreement.violation("\(what) did not come within \(setting.patience)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// What a stream shows from `cursor` on, until `isEnough` or the patience ends.
    func stream(
        from cursor: String, until isEnough: @Sendable ([BrokerExecutionEvent.Event]) -> Bool
    ) async throws -> [BrokerExecutionEvent.Event] {
        do {
            return try await broker.streamExecutions(
                BrokerStreamExecutionsRequest(cursor: cursor), options: options
            ) { events in
                var seen: [BrokerExecutionEvent.Event] = []
                for try await event in events {
                    if let event = event.event { seen.append(event) }
                    if isEnough(seen) { break }
                }
                return seen
            }
        } catch let status as Status where status.code == .deadlineExceeded {
            throw Disagreement.violation("the stream did not show what it should within \(setting.patience)")
        }
    }

    /// Waits, or moves the clock, until `duration` is over.
    func pass(_ duration: Duration) async throws {
        if let advance = setting.advance { try await advance(duration) } else { try await Task.sleep(for: duration) }
    }
}

extension [BrokerExecutionEvent.Event] {
    var reports: [BrokerSequencedReport] {
        compactMap { if case .report(let report) = $0 { report } else { nil } }
    }
}
