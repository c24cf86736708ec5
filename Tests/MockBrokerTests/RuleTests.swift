import Contracts
import Domain
import MockBroker
import Protobuf
import Testing

/// What a rule may say, in which order rules are asked, and that chance depends on nothing but its key.
@Suite struct RuleTests {
    private static func seconds(_ count: Int64) -> Google_Protobuf_Duration { Google_Protobuf_Duration(seconds: count) }

    private static func latency(_ distribution: BrokerLatency.Distribution?) -> BrokerRule {
        BrokerRule(ruleID: "r", action: .latency(BrokerLatency(distribution: distribution)))
    }

    private static func selecting(_ selector: BrokerSelector) -> BrokerRule {
        BrokerRule(ruleID: "r", when: selector, action: .latency(.fixed(.zero)))
    }

    private static func with(_ change: (inout BrokerRule) -> Void) -> BrokerRule {
        var rule = latency(.fixed(seconds(1)))
        change(&rule)
        return rule
    }

    private static func visibility(
        _ fault: BrokerVisibilityFault.Fault, of operations: [BrokerOperation] = []
    ) -> BrokerRule {
        BrokerRule(
            ruleID: "r", when: BrokerSelector(operations: operations),
            action: .visibility(BrokerVisibilityFault(fault: fault)))
    }

    private static func capacity(_ fault: BrokerCapacityFault.Fault) -> BrokerRule {
        BrokerRule(ruleID: "r", action: .capacity(BrokerCapacityFault(fault: fault)))
    }

    private static let wrong: [(path: String, rule: BrokerRule)] = [
        ("rule_id", with { $0.ruleID = "" }),
        ("rule_id", with { $0.ruleID = "a b" }),
        ("rule_id", with { $0.ruleID = String(repeating: "a", count: 65) }),
        ("action", with { $0.action = nil }),
        ("probability", with { $0.probability = 2 }),
        ("probability", with { $0.probability = -0.01 }),
        ("probability", with { $0.probability = .nan }),
        ("max_firings", with { $0.maxFirings = -1 }),
        ("max_firings_per_subject", with { $0.maxFiringsPerSubject = -1 }),
        ("note", with { $0.note = String(repeating: "a", count: 257) }),
        ("at", with { $0.at = .unrecognized(9) }),
        ("at", with { $0.at = .duringReply }),
        ("at", BrokerRule(ruleID: "r", at: .beforeEvent, action: .fills(BrokerFillScript()))),
        ("latency.distribution", latency(nil)),
        ("latency.fixed", latency(.fixed(seconds(-1)))),
        ("latency.fixed", latency(.fixed(seconds(86_401)))),
        ("latency.uniform.minimum", latency(.uniform(BrokerUniform()))),
        ("latency.uniform.maximum", latency(.uniform(BrokerUniform(minimum: seconds(2), maximum: seconds(1))))),
        ("latency.normal.standard_deviation", latency(.normal(BrokerNormal(mean: seconds(1))))),
        ("latency.lognormal.median", latency(.lognormal(BrokerLognormal(median: seconds(0), sigma: 1)))),
        ("latency.lognormal.sigma", latency(.lognormal(BrokerLognormal(median: seconds(1), sigma: -1)))),
        ("latency.lognormal.sigma", latency(.lognormal(BrokerLognormal(median: seconds(1), sigma: .infinity)))),
        ("latency.pareto.shape", latency(.pareto(BrokerPareto(scale: seconds(1), shape: 0)))),
        (
            "latency.bimodal.other_probability",
            latency(.bimodal(BrokerBimodal(usual: seconds(1), other: seconds(2), otherProbability: 1.5)))
        ),
        ("latency.stepped.steps", latency(.stepped(BrokerStepped()))),
        ("latency.stepped.steps[1]", latency(.stepped(BrokerStepped(steps: [seconds(1), seconds(-1)])))),
        ("latency.ramp", latency(.ramp(BrokerRamp(from: seconds(1), to: seconds(2))))),
        (
            "latency.maximum",
            BrokerRule(
                ruleID: "r",
                action: .latency(
                    BrokerLatency(distribution: .fixed(seconds(1)), minimum: seconds(2), maximum: seconds(1))))
        ),
        ("fills.latency.frozen", .fills("r", BrokerLatency(distribution: .frozen(BrokerFrozen())))),
        ("fills.split.parts", .fills("r", parts: 0)),
        ("fills.split.parts", .fills("r", parts: 1001)),
        ("event.duplicate.copies", .duplicateFills("r", copies: 0)),
        ("transport.fault", BrokerRule(ruleID: "r", action: .transport(BrokerTransportFault()))),
        (
            "transport.http_answer.status",
            BrokerRule(ruleID: "r", action: .transport(BrokerTransportFault(fault: .httpAnswer(.init(status: 199)))))
        ),
        (
            "transport.slow_bytes.bytes",
            BrokerRule(ruleID: "r", action: .transport(BrokerTransportFault(fault: .slowBytes(.init()))))
        ),
        (
            "transport.reset_stream.after_messages",
            BrokerRule(
                ruleID: "r", action: .transport(BrokerTransportFault(fault: .resetStream(.init(afterMessages: -1)))))
        ),
        (
            "at",
            BrokerRule(
                ruleID: "r", at: .beforeRead, action: .transport(BrokerTransportFault(fault: .missingTrailers(.init())))
            )
        ),
        ("rpc.wrong_body", BrokerRule(ruleID: "r", action: .rpc(BrokerRpcFault(fault: .wrongBody(.unspecified))))),
        ("event.fault", BrokerRule(ruleID: "r", action: .event(BrokerEventFault()))),
        ("rpc.fault", BrokerRule(ruleID: "r", action: .rpc(BrokerRpcFault()))),
        ("rpc.status.code", BrokerRule(ruleID: "r", action: .rpc(BrokerRpcFault(fault: .status(BrokerStatusFault()))))),
        (
            "rpc.status.code",
            BrokerRule(ruleID: "r", action: .rpc(BrokerRpcFault(fault: .status(BrokerStatusFault(code: 17)))))
        ),
        (
            "order.refuse.reason",
            BrokerRule(ruleID: "r", action: .order(BrokerOrderFault(fault: .refuse(BrokerRefuse()))))
        ),
        ("order.slow.latency", BrokerRule(ruleID: "r", action: .order(BrokerOrderFault(fault: .slow(BrokerSlow()))))),
        ("visibility.fault", BrokerRule(ruleID: "r", action: .visibility(BrokerVisibilityFault()))),
        ("visibility.hidden.distribution", visibility(.hidden(BrokerLatency()))),
        ("visibility.stale", visibility(.stale(seconds(-1)))),
        ("visibility.forget_closed", visibility(.forgetClosed(seconds(4_000_000_000)))),
        ("visibility.wrong_page", visibility(.wrongPage(.unspecified))),
        ("at", visibility(.wrongPage(.repeated)).at(.beforeRead)),
        ("when.operations", visibility(.wrongPage(.repeated), of: [.getOrder])),
        ("capacity.fault", BrokerRule(ruleID: "r", action: .capacity(BrokerCapacityFault()))),
        ("capacity.token_bucket.per_second", capacity(.tokenBucket(BrokerTokenBucket(burst: 1)))),
        ("capacity.token_bucket.per_second", capacity(.tokenBucket(BrokerTokenBucket(perSecond: .nan, burst: 1)))),
        ("capacity.token_bucket.burst", capacity(.tokenBucket(BrokerTokenBucket(perSecond: 1)))),
        ("capacity.concurrency.limit", capacity(.concurrency(BrokerConcurrency()))),
        ("capacity.concurrency.queue", capacity(.concurrency(BrokerConcurrency(limit: 1, queue: -1)))),
        ("capacity.brown_out.per_request", capacity(.brownOut(BrokerBrownOut()))),
        ("capacity.brown_out.free", capacity(.brownOut(BrokerBrownOut(perRequest: seconds(1), free: -1)))),
        ("at", capacity(.concurrency(BrokerConcurrency(limit: 1))).at(.afterCommitBeforeReply)),
        ("order.reject_later.after", .orders(.rejectLater(BrokerRejectLater()))),
        (
            "order.reject_later.text",
            .orders(
                .rejectLater(
                    BrokerRejectLater(after: .fixed(.zero), text: String(repeating: "a", count: 257))))
        ),
        ("order.unsolicited_cancel.after", .orders(.unsolicitedCancel(BrokerUnsolicitedCancel()))),
        ("order.suspend.after", .orders(.suspend(BrokerSuspend()))),
        (
            "order.suspend.length.distribution",
            .orders(.suspend(BrokerSuspend(after: .fixed(.zero), length: BrokerLatency())))
        ),
        ("order.restate.after", .orders(.restate(BrokerRestate()))),
        (
            "when.operations",
            BrokerRule(
                ruleID: "r", when: BrokerSelector(operations: [.cancelOrder]),
                action: .order(BrokerOrderFault(fault: .newOrderID(BrokerNewOrderID()))))
        ),
        (
            "fills.split.spacing",
            .script(BrokerFillScript(shape: .split(BrokerSplit(parts: 2, spacing: seconds(-1)))))
        ),
        ("fills.steps.steps", .script(BrokerFillScript(shape: .steps(BrokerFillSteps())))),
        (
            "fills.steps.steps",
            .script(
                BrokerFillScript(
                    shape: .steps(BrokerFillSteps(steps: Array(repeating: BrokerFillStep(), count: 101)))))
        ),
        (
            "fills.steps.steps[1].qty",
            .script(
                BrokerFillScript(
                    shape: .steps(
                        BrokerFillSteps(steps: [
                            BrokerFillStep(), BrokerFillStep(qty: WireDecimal(unscaled: 15, scale: 1)),
                        ]))))
        ),
        (
            "fills.steps.steps[0].price",
            .script(
                BrokerFillScript(
                    shape: .steps(
                        BrokerFillSteps(steps: [BrokerFillStep(price: WireDecimal(unscaled: 0, scale: 0))]))))
        ),
        (
            "fills.steps.steps[0].delay",
            .script(
                BrokerFillScript(shape: .steps(BrokerFillSteps(steps: [BrokerFillStep(delay: seconds(-1))]))))
        ),
        (
            "fills.latency",
            .script(BrokerFillScript(shape: .never(BrokerNeverFill()), latency: .fixed(.seconds(1))))
        ),
        ("fills.overfill_qty", .script(BrokerFillScript(overfillQty: WireDecimal(unscaled: 0, scale: 0)))),
        ("fills.overfill_qty", .script(BrokerFillScript(overfillQty: WireDecimal(unscaled: .max, scale: 0)))),
        ("fills.price_offset", .script(BrokerFillScript(priceOffset: WireDecimal(unscaled: 1, scale: 5)))),
        ("fills.commission_after.distribution", .script(BrokerFillScript(commissionAfter: BrokerLatency()))),
        ("fills.commission_currency", .script(BrokerFillScript(commissionCurrency: "usd"))),
        ("fills.bust_after.distribution", .script(BrokerFillScript(bustAfter: BrokerLatency()))),
        (
            "fills.correct.after",
            .script(BrokerFillScript(correct: BrokerCorrection(priceOffset: WireDecimal(unscaled: 1, scale: 0))))
        ),
        (
            "fills.correct.price_offset",
            .script(BrokerFillScript(correct: BrokerCorrection(after: .fixed(.zero))))
        ),
        (
            "fills.correct.qty_offset",
            .script(
                BrokerFillScript(
                    correct: BrokerCorrection(
                        after: .fixed(.zero), qtyOffset: WireDecimal(unscaled: 1, scale: 1))))
        ),
        ("when.account", selecting(BrokerSelector(account: "a b"))),
        ("when.client_order_id", selecting(BrokerSelector(clientOrderID: "a/b"))),
        ("when.symbol", selecting(BrokerSelector(symbol: " "))),
        ("when.to_attempt", selecting(BrokerSelector(fromAttempt: 2, toAttempt: 1))),
        ("when.from_attempt", selecting(BrokerSelector(fromAttempt: -1))),
        ("when.to_match", selecting(BrokerSelector(fromMatch: 2, toMatch: 1))),
        (
            "when.not_after",
            selecting(
                BrokerSelector(
                    notBefore: Google_Protobuf_Timestamp(seconds: 2), notAfter: Google_Protobuf_Timestamp(seconds: 2)))
        ),
        ("when.metadata[X]", selecting(BrokerSelector(metadata: ["X": "1"]))),
        ("when.operations[0]", selecting(BrokerSelector(operations: [.unrecognized(99)]))),
        ("when.side", selecting(BrokerSelector(side: .unrecognized(7)))),
        ("when.exec_types", selecting(BrokerSelector(execTypes: [.trade])).at(.beforeRead)),
        ("when.operations", selecting(BrokerSelector(operations: [.placeOrder])).at(.beforeEvent)),
        (
            "when.operations",
            BrokerRule(
                ruleID: "r", when: BrokerSelector(operations: [.getOrder]), action: .fills(BrokerFillScript()))
        ),
    ]

    @Test(arguments: wrong.indices)
    func nonsenseIsRefusedWithItsPath(index: Int) {
        let (path, rule) = Self.wrong[index]
        do {
            _ = try Rule(rule)
            Issue.record("took \(rule)")
        } catch {
            #expect(error.path == path, "\(error)")
        }
    }

    /// A field that a newer client knows is not skipped: the test that set it would check nothing.
    @Test func unknownFieldsAreRefused() throws {
        var bytes = BrokerRule.fills("r").encoded()
        let when = BrokerSelector(account: "alice").encoded() + [0xF8, 0x06, 1]  // field 111, number 1
        bytes += [3 << 3 | 2, UInt8(when.count)] + when
        let rule = try BrokerRule(decoding: bytes)
        do {
            _ = try Rule(rule)
            Issue.record("took an unknown field")
        } catch {
            #expect(error == InvalidSetting(path: "when.111", problem: "is a field that the contract does not have"))
        }
    }

    // MARK: Distributions

    /// Values of many subjects, in microseconds, sorted.
    private func values(_ distribution: BrokerLatency.Distribution, attempt: Int = 1, at now: UnixTime = start) throws
        -> [Int64]
    {
        var book = RuleBook()
        book.put(try Rule(Self.latency(distribution)))
        return (1...2000).map { number in
            book.ask(
                Occasion(event: .request(.placeOrder), subject: "order:a/\(number)", attempt: attempt, now: now),
                seed: 3
            )[0].values[0]
        }.sorted()
    }

    @Test func distributionsHaveTheirShape() throws {
        let second = Int64(1_000_000)
        #expect(try Set(values(.fixed(Self.seconds(1)))) == [second])
        let uniform = try values(.uniform(BrokerUniform(minimum: Self.seconds(1), maximum: Self.seconds(3))))
        #expect(uniform.allSatisfy { (second...3 * second).contains($0) })
        #expect(abs(uniform[1000] - 2 * second) < second / 10)
        let normal = try values(
            .normal(BrokerNormal(mean: Self.seconds(10), standardDeviation: Self.seconds(1))))
        #expect(abs(normal[1000] - 10 * second) < second / 10)
        #expect(normal.count { (9 * second...11 * second).contains($0) } > 1300)  // 68 %
        let lognormal = try values(.lognormal(BrokerLognormal(median: Self.seconds(1), sigma: 0.5)))
        #expect(abs(lognormal[1000] - second) < second / 10)
        #expect(lognormal[1950] > 2 * second)  // e^(0.5 x 1.96) is 2.66
        let pareto = try values(.pareto(BrokerPareto(scale: Self.seconds(1), shape: 2)))
        #expect(pareto[0] >= second)
        #expect(abs(pareto[1500] - 2 * second) < second / 5)  // the upper quartile is 4^(1/2)
        let bimodal = try values(
            .bimodal(BrokerBimodal(usual: Self.seconds(1), other: Self.seconds(5), otherProbability: 0.25)))
        #expect(Set(bimodal) == [second, 5 * second])
        #expect((400...600).contains(bimodal.count { $0 == 5 * second }))
        let steps = BrokerLatency.Distribution.stepped(BrokerStepped(steps: [Self.seconds(1), Self.seconds(2)]))
        #expect(try [1, 2, 3].map { try values(steps, attempt: $0)[0] } == [second, 2 * second, 2 * second])
        let ramp = BrokerLatency.Distribution.ramp(
            BrokerRamp(
                start: Google_Protobuf_Timestamp(start), end: Google_Protobuf_Timestamp(start + .seconds(10)),
                from: Self.seconds(0), to: Self.seconds(2)))
        #expect(
            try [-1, 0, 5, 10, 11].map { try values(ramp, at: start + .seconds($0))[0] / 1000 } == [
                0, 0, 1000, 2000, 2000,
            ])
    }

    @Test func boundsHold() throws {
        var wire = BrokerLatency(distribution: .lognormal(BrokerLognormal(median: Self.seconds(1), sigma: 3)))
        wire.minimum = Self.seconds(1)
        wire.maximum = Self.seconds(2)
        var book = RuleBook()
        book.put(try Rule(BrokerRule(ruleID: "r", action: .latency(wire))))
        let drawn = (1...200).map { number in
            book.ask(Occasion(event: .request(.placeOrder), subject: "\(number)", attempt: 1, now: start), seed: 0)[0]
                .values[0]
        }
        #expect(drawn.min() == 1_000_000)
        #expect(drawn.max() == 2_000_000)
    }

    // MARK: Asking

    private func occasion(
        _ operation: Operation = .placeOrder, subject: String = "order:alice/1", attempt: Int = 1,
        terms: OrderContent? = nil, metadata: [String: String] = [:], now: UnixTime = start
    ) -> Occasion {
        Occasion(
            event: .request(operation), subject: subject, account: "alice", clientOrder: "ord-1", terms: terms,
            attempt: attempt, metadata: metadata, now: now)
    }

    private func fires(_ selector: BrokerSelector, _ occasion: Occasion) throws -> Bool {
        var book = RuleBook()
        book.put(try Rule(Self.selecting(selector)))
        return book.ask(occasion, seed: 0).contains { $0.fired }
    }

    @Test func selectorsSelect() throws {
        let terms = order("ord-1", side: .sell, limit: Price(unscaled: 1_0000), timeInForce: .goodTillCancel)
        let known = occasion(terms: terms)
        let yes: [BrokerSelector] = [
            BrokerSelector(), BrokerSelector(operations: [.getOrder, .placeOrder]), BrokerSelector(account: "alice"),
            BrokerSelector(clientOrderID: "ord-1"), BrokerSelector(clientOrderIDPrefix: "ord-"),
            BrokerSelector(symbol: "AAPL", side: .sell, ordType: .limit, timeInForce: .gtc),
            BrokerSelector(fromAttempt: 1, toAttempt: 1),
            BrokerSelector(notBefore: Google_Protobuf_Timestamp(start)),
            BrokerSelector(notAfter: Google_Protobuf_Timestamp(start + .nanoseconds(1))),
        ]
        for selector in yes { #expect(try fires(selector, known), "\(selector)") }
        let no: [BrokerSelector] = [
            BrokerSelector(operations: [.getOrder]), BrokerSelector(account: "bob"),
            BrokerSelector(clientOrderID: "ord-2"), BrokerSelector(clientOrderIDPrefix: "x"),
            BrokerSelector(symbol: "MSFT"), BrokerSelector(side: .buy), BrokerSelector(ordType: .market),
            BrokerSelector(timeInForce: .day), BrokerSelector(fromAttempt: 2), BrokerSelector(fromMatch: 2),
            BrokerSelector(notBefore: Google_Protobuf_Timestamp(start + .nanoseconds(1))),
            BrokerSelector(notAfter: Google_Protobuf_Timestamp(start)), BrokerSelector(metadata: ["x-test": "1"]),
        ]
        for selector in no { #expect(try !fires(selector, known), "\(selector)") }
        #expect(try !fires(BrokerSelector(symbol: "AAPL"), occasion()))
        #expect(try fires(BrokerSelector(metadata: ["x-test": "1"]), occasion(metadata: ["x-test": "1"])))
    }

    @Test func theFirstOfAKindSettlesItsPlace() throws {
        func fired(_ rules: [BrokerRule]) throws -> [String] {
            var book = RuleBook()
            for rule in rules { book.put(try Rule(rule)) }
            return book.ask(occasion(), seed: 0).filter(\.fired).map(\.rule)
        }
        func rule(_ id: String, priority: Int32 = 0, also: Bool = false, at: BrokerInjectionPoint = .beforeRead)
            -> BrokerRule
        {
            BrokerRule(
                ruleID: id, priority: priority, at: at, action: .latency(.fixed(.zero)), alsoApplyLowerPriority: also)
        }
        #expect(try fired([rule("b"), rule("a")]) == ["a"])
        #expect(try fired([rule("a"), rule("b", priority: 1)]) == ["b"])
        #expect(try fired([rule("a"), rule("b", priority: 1, also: true)]) == ["b", "a"])
        #expect(try fired([rule("a"), rule("b", at: .afterCommitBeforeReply)]) == ["a", "b"])
        #expect(try fired([rule("a"), .loseReplies("b").at(.beforeRead)]) == ["a", "b"])
        var off = rule("a")
        off.disabled = true
        #expect(try fired([off, rule("b")]) == ["b"])
        var never = rule("a")
        never.probability = 0
        #expect(try fired([never, rule("b")]) == ["b"])
    }

    @Test func countsLimitFirings() throws {
        var rule = BrokerRule(ruleID: "r", at: .beforeRead, action: .latency(.fixed(.zero)))
        func history(_ rule: BrokerRule) throws -> [Bool] {
            var book = RuleBook()
            book.put(try Rule(rule))
            return (0..<6).map { number in
                let decisions = book.ask(
                    occasion(subject: "order:alice/\(number % 2)", attempt: number / 2 + 1), seed: 0)
                book.apply(decisions, at: start)
                return decisions[0].fired
            }
        }
        rule.maxFirings = 3
        #expect(try history(rule) == [true, true, true, false, false, false])
        rule.maxFirings = 0
        rule.maxFiringsPerSubject = 2
        #expect(try history(rule) == [true, true, true, true, false, false])
        rule.maxFiringsPerSubject = 0
        rule.when = BrokerSelector(fromMatch: 2, toMatch: 4)
        #expect(try history(rule) == [false, true, true, true, false, false])
    }

    @Test func probabilityIsAShareOfSubjectsAndNotOfTime() throws {
        var book = RuleBook()
        book.put(try Rule(.loseReplies("r", probability: 0.1)))
        func fired(_ subject: Int, _ book: RuleBook) -> Bool {
            book.ask(occasion(subject: "order:alice/\(subject)"), seed: 5)[0].fired
        }
        let first = (0..<4000).map { fired($0, book) }
        #expect((320...480).contains(first.count { $0 }))
        // In any order, and after any history, the same.
        for subject in (0..<4000).reversed() {
            #expect(fired(subject, book) == first[subject])
            if subject % 40 == 0 {
                book.apply(book.ask(occasion(subject: "order:alice/\(subject)"), seed: 5), at: start)
            }
        }
        var other = RuleBook()
        other.put(try Rule(.loseReplies("other", probability: 0.1)))
        #expect((0..<4000).map { fired($0, other) } != first)
    }

    @Test func aLogDecidesInsteadOfTheSeed() throws {
        var book = RuleBook()
        book.put(try Rule(.slowReplies("r", .uniform(.zero ... .seconds(9)))))
        for number in 0..<50 { book.apply(book.ask(occasion(subject: "\(number)"), seed: 1), at: start) }
        var replay = RuleBook()
        replay.put(try Rule(.slowReplies("r", .uniform(.zero ... .seconds(9)))))
        replay.follow(book.log)
        for number in (0..<50).reversed() {
            replay.apply(replay.ask(occasion(subject: "\(number)"), seed: 2), at: start)
        }
        #expect(replay.log.sorted == book.log.sorted)
        #expect(replay.log.count == 50)
        // What it does not know does not fire.
        #expect(replay.ask(occasion(subject: "new"), seed: 2).map(\.fired) == [false])
    }
}

extension BrokerRule {
    fileprivate func at(_ point: BrokerInjectionPoint) -> BrokerRule {
        var rule = self
        rule.at = point
        return rule
    }
}
