internal import Contracts
internal import Protobuf
internal import RPCCore

extension BrokerConformance {
    /// The broker tells the record that is tested.
    func record() async throws {
        let told = try await broker.getCapabilities(BrokerGetCapabilitiesRequest(), options: options)
        try check(told == claims, "the broker itself tells another record: \(told)")
    }

    private var checksIDs: Bool {
        claims.idempotencyMode == .returnOriginal || claims.idempotencyMode == .rejectDuplicate
    }

    func repeatedOrder() async throws {
        let request = order("repeat")
        let first = try await place(request)
        switch claims.idempotencyMode {
        case .returnOriginal:
            let again = try await broker.placeOrder(request, options: options)
            try check(again.order?.orderID == first.orderID, "the repeat is another order")
            try check(again.replayed, "the repeat does not say that it is one")
        case .rejectDuplicate:
            let status = try await refusal("a repeat") { try await place(request) }
            try check(status.code == .alreadyExists, "the repeat ends with \(status.code), not ALREADY_EXISTS")
            try check(
                status.outcome == .definitelyDone, "the refusal of a repeat does not prove that the first was accepted")
        case .echoOnly, .none:
            let again = try await place(request)
            try check(
                again.orderID != first.orderID, "the repeat is the first order again, although ids are not checked")
        case .unspecified, .unrecognized: throw Disagreement.violation("the record does not say what a repeat does")
        }
        // However it is answered: as many orders as the record says.
        let expected = checksIDs ? 1 : 2
        try claimed(claims.idempotencyMode != .none, "reports do not carry our ids")
        let new = try await listUntil("the order's report") { $0.clientOrderID == request.clientOrderID }.compactMap(
            \.report
        )
        .filter { $0.clientOrderID == request.clientOrderID && $0.execType == .new }
        try check(
            Set(new.map(\.orderID)).count == expected, "there are \(new.count) orders under the id, not \(expected)")
    }

    func changedRepeat() async throws {
        try claimed(checksIDs, "ids are not checked")
        let request = order("changed")
        let first = try await place(request)
        let changed = order("changed", shares: 2)
        if claims.changedRepeatRefused {
            let status = try await refusal("a repeat with other content") { try await place(changed) }
            try check(status.outcome == .definitelyNotDone, "the refusal does not say that nothing was done")
        } else if claims.idempotencyMode == .returnOriginal {
            try check(
                try await place(changed).orderID == first.orderID, "a changed repeat is another order")
        } else {
            _ = try await refusal("a changed repeat") { try await place(changed) }
        }
    }

    func dedupWindow() async throws {
        try claimed(checksIDs, "ids are not checked")
        let window = Duration.seconds(claims.dedupWindowSeconds)
        let isTestable = window <= setting.patience || (setting.advance != nil && window <= .seconds(400 * 86_400))
        try claimed(isTestable, "the window of \(window) is too long to wait for")
        let request = order("window", for: .gtc)
        let first = try await place(request)
        try await pass(window * 4 / 5)
        switch claims.idempotencyMode {
        case .returnOriginal:
            try check(try await place(request).orderID == first.orderID, "the id is forgotten before its window ends")
        default:
            let status = try await refusal("a repeat within the window") { try await place(request) }
            try check(status.code == .alreadyExists, "the id is forgotten before its window ends")
        }
        try await pass(window * 2 / 5)
        try check(
            try await place(request).orderID != first.orderID, "the id is still known after its window has ended")
    }

    func idLength() async throws {
        let length = Int(claims.idMaxLength)
        try check((1...256).contains(length), "the record's longest id has \(length) characters")
        let base = id("len")
        try claimed(base.utf8.count < length, "the run's own ids do not fit")
        var request = order("len")
        request.clientOrderID = base + String(repeating: "x", count: length - base.utf8.count)
        _ = try await place(request)
        request.clientOrderID += "x"
        let status = try await refusal("an id of \(length + 1) characters") { try await place(request) }
        try check(status.outcome == .definitelyNotDone, "the refusal does not say that nothing was done")
    }

    func idCharacters() async throws {
        for text in ["", "a b", "ä", "a\n"] {
            var request = order("x")
            request.clientOrderID = text
            let status = try await refusal("the id \"\(text)\"") { try await place(request) }
            try check(
                status.code == .invalidArgument && status.outcome == .definitelyNotDone,
                "the id \"\(text)\" ends with \(status.code), \(status.outcome)")
        }
    }

    func lookUp() async throws {
        let placed = try await place(order("look"))
        let request = BrokerGetOrderRequest(account: setting.account, id: .clientOrderID(id("look")))
        guard claims.lookupByClientID else {
            _ = try await refusal("a look-up by our id") { try await broker.getOrder(request, options: options) }
            return
        }
        try await pass(.milliseconds(claims.visibilityDelayMilliseconds))
        do {
            let found = try await broker.getOrder(request, options: options)
            try check(found.orderID == placed.orderID, "the look-up finds another order")
        } catch let status as Status where status.code == .notFound {
            throw Disagreement.violation(
                "an accepted order is not found \(claims.visibilityDelayMilliseconds) ms after its acceptance")
        }
        let byOrder = BrokerGetOrderRequest(account: setting.account, id: .orderID(placed.orderID))
        try check(
            try await broker.getOrder(byOrder, options: options).clientOrderID == id("look"),
            "a look-up by order_id does not carry our id")
    }

    func unknownOrder() async throws {
        try claimed(claims.lookupByClientID, "there are no look-ups by our id")
        let status = try await refusal("a look-up of an id that was never used") {
            try await broker.getOrder(
                BrokerGetOrderRequest(account: setting.account, id: .clientOrderID(id("never"))), options: options)
        }
        try check(status.code == .notFound, "an unknown id ends with \(status.code), not NOT_FOUND")
    }

    func cancel() async throws {
        _ = try await place(order("target"))
        let request = BrokerCancelOrderRequest(
            clientOrderID: id("cancel"), origClientOrderID: id("target"), account: setting.account)
        guard claims.cancelByClientID else {
            _ = try await refusal("a cancel by our id") { try await broker.cancelOrder(request, options: options) }
            return
        }
        _ = try await broker.cancelOrder(request, options: options)
        let reports = try await listUntil("the report of the cancel") {
            $0.clientOrderID == id("target") && $0.execType == .canceled
        }
        let last = reports.compactMap(\.report).last { $0.clientOrderID == id("target") }
        try check(last?.leavesQty?.unscaled == 0, "a cancelled order has shares left")
        let late = try await refusal("a cancel of a cancelled order") {
            try await broker.cancelOrder(
                BrokerCancelOrderRequest(
                    clientOrderID: id("late"), origClientOrderID: id("target"), account: setting.account),
                options: options)
        }
        try check(late.outcome == .definitelyNotDone, "the refusal of a late cancel does not say that nothing was done")
    }

    func orderTypes() async throws {
        for type in WireOrdType.allCases where type != .unspecified {
            for time in WireTimeInForce.allCases where time != .unspecified {
                let request = order("t\(type.rawValue)\(time.rawValue)", type: type, for: time)
                let isClaimed = claims.ordTypes.contains(type) && claims.timesInForce.contains(time)
                if isClaimed {
                    _ = try await place(request)
                } else {
                    let status = try await refusal("\(type) \(time), which the record does not have,") {
                        try await place(request)
                    }
                    try check(status.outcome == .definitelyNotDone, "the refusal of \(type) \(time) is not definite")
                }
            }
        }
    }

    func definiteRefusals() async throws {
        var unknown = order("unknown")
        unknown.symbol = "NO-SUCH-SYMBOL"
        var nothing = order("nothing")
        nothing.orderQty = WireDecimal(unscaled: 0, scale: 0)
        for (what, request) in [("an unknown symbol", unknown), ("no shares", nothing)] {
            let status = try await refusal(what) { try await place(request) }
            try check(status.outcome == .definitelyNotDone, "the refusal of \(what) does not say that nothing was done")
            try check(
                claims.definitiveRejectReasons.isEmpty || claims.definitiveRejectReasons.contains(status.reason),
                "\(status.reason) is a definite refusal that the record does not list")
        }
    }

    func replace() async throws {
        let request = BrokerReplaceOrderRequest(
            clientOrderID: id("rep2"), origClientOrderID: id("rep1"), account: setting.account,
            orderQty: WireDecimal(unscaled: 5, scale: 0), price: setting.restingPrice)
        _ = try await place(order("rep1"))
        try await pass(.milliseconds(claims.visibilityDelayMilliseconds))
        guard claims.replaceSupported else {
            let status = try await refusal("a replace") { try await broker.replaceOrder(request, options: options) }
            try check(status.code == .unimplemented, "a replace ends with \(status.code), not UNIMPLEMENTED")
            return
        }
        try claimed(claims.idempotencyMode != .none, "orders are not known by our ids here")
        _ = try await broker.replaceOrder(request, options: options)
        let reports = try await listUntil("the report of the replacement") {
            $0.execType == .replaced && $0.clientOrderID == id("rep2")
        }
        let last = reports.compactMap(\.report).last { $0.clientOrderID == id("rep2") }
        try check(last?.origClientOrderID == id("rep1"), "the report does not name the id that was replaced")
        try await pass(.milliseconds(claims.visibilityDelayMilliseconds))
        let found = try await broker.getOrder(
            BrokerGetOrderRequest(account: setting.account, id: .clientOrderID(id("rep2"))), options: options)
        try check(
            found.orderQty.map { $0.scaled(to: 9) } == WireDecimal(unscaled: 5, scale: 0).scaled(to: 9),
            "the order has not the new total")
    }

    func massStatus() async throws {
        let request = BrokerMassStatusRequest(massStatusReqID: id("mass"), account: setting.account)
        func collect() async throws -> [BrokerMassStatusReport] {
            try await broker.massStatus(request, options: options) { stream in
                var reports: [BrokerMassStatusReport] = []
                for try await report in stream { reports.append(report) }
                return reports
            }
        }
        guard claims.massStatusSupported else {
            let status = try await refusal("a mass status request") { try await collect() }
            try check(status.code == .unimplemented, "a mass status request ends with \(status.code)")
            return
        }
        let placed = try await place(order("massed", for: .gtc))
        try await pass(.milliseconds(claims.visibilityDelayMilliseconds))
        let reports = try await collect()
        try check(reports.last?.lastRptRequested == true, "the last report does not say that it is the last")
        try check(
            reports.dropLast().allSatisfy { !$0.lastRptRequested }, "an earlier report says that it is the last")
        try check(
            reports.allSatisfy { Int($0.totNumReports) == reports.count }, "there are not as many reports as they say")
        try check(
            reports.contains { $0.order?.orderID == placed.orderID }, "a working order is missing")
    }
}

extension WireDecimal {
    /// The digits at this scale, or nil when they do not fit.
    fileprivate func scaled(to wanted: Int32) -> Int64? {
        guard (0...9).contains(scale), scale <= wanted else { return nil }
        var value = unscaled
        for _ in scale..<wanted {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            value = product
        }
        return value
    }
}
