internal import Contracts
internal import Domain
internal import Limits
internal import Protobuf
internal import RPCCore
internal import ServiceKit

/// The way of every request: it is noted, rules strike at their places, it is carried out, and its end is noted.
struct RequestPipeline {
    let core: BrokerCore
    let environment: ServiceEnvironment
    /// How long a call without a deadline is held by a rule that gives no answer.
    let noAnswerLimit: Duration
    let gates = CapacityGates()

    /// A request that rules have looked at, on its way.
    struct Passage: Sendable {
        let space: SpaceID
        let arrival: Arrival
        let admissions = Admissions()
    }

    /// Carries a request out that has one reply.
    ///
    /// - Parameters:
    ///   - terms: the order that it places or is about.
    ///   - decide: makes the records and the answer, or refuses, from the book as it is at the commit.
    ///   - reply: makes the reply from the answer and the changed book.
    func run<Answer: Sendable, Reply: Message>(
        _ fact: RequestFact, terms: OrderContent? = nil, _ context: ServerContext,
        decide: (borrowing BrokerBook, Arrival, UnixTime) throws(BrokerRefusal) -> Decision<Answer>,
        order: (Answer) -> BrokerOrderID? = { _ in nil },
        reply: (borrowing BrokerBook, Answer) -> Reply
    ) async throws -> Reply {
        let space = try core.space(named: Self.namespace(context))
        let venue = core.venue
        /// The arrival, the end when nothing happens before the commit, and when that was: delays count from there, so that
        /// a clock that is moved meanwhile ends them.
        var (arrival, end, reached) = try await core.perform(in: space) { book, now throws(BrokerRefusal) in
            let noted = try book.arrive(fact, terms: terms, at: now, venue)
            guard !noted.answer.pausesBeforeCommit else {
                return Decision(
                    records: noted.records, answer: (noted.answer, Result<Answer, BrokerRefusal>?.none, now))
            }
            let (records, answer) = Self.decided(noted.answer, order, at: now) { () throws(BrokerRefusal) in
                try decide(book, noted.answer, now)
            }
            return Decision(records: noted.records + records, answer: (noted.answer, answer, now))
        } then: { book, answer in
            (answer.0, answer.1.map { $0.map { reply(book, $0) } }, answer.2)
        }
        let passage = Passage(space: space, arrival: arrival)
        defer { passage.admissions.leaveAll(gates) }
        tell(context, passage)
        if end == nil {
            try await strike(.beforeRead, passage, context, from: &reached)
            if !arrival.firings(at: .afterReadBeforeCommit).isEmpty,
                try await isGood(space, { book, now throws(BrokerRefusal) in _ = try decide(book, arrival, now) })
            {
                try await strike(.afterReadBeforeCommit, passage, context, from: &reached)
            }
            (end, reached) = try await core.perform(in: space) { book, now throws(BrokerRefusal) in
                let (records, answer) = Self.decided(arrival, order, at: now) { () throws(BrokerRefusal) in
                    try decide(book, arrival, now)
                }
                return Decision(records: records, answer: (answer, now))
            } then: { book, answer in
                (answer.0.map { reply(book, $0) }, answer.1)
            }
        }
        guard let end else { preconditionFailure("a request that was carried out has an end") }
        let ownCode =
            switch end {
            case .success: Status.Code.ok
            case .failure(let refusal): refusal.status.code
            }
        try await strike(.afterCommitBeforeReply, passage, context, ownCode, from: &reached)
        try await strike(.duringReply, passage, context, ownCode, from: &reached)
        let isBroken = arrival.firings(at: .duringReply).contains { $0.breaksReply }
        switch end {
        case .success(let reply):
            guard let wrong = arrival.wrongBody else {
                try note(passage, code: ownCode, fate: isBroken ? .broken : .sent)
                return reply
            }
            try note(passage, code: ownCode, shown: .ok, fate: .replaced)
            return try reply.wrong(wrong)
        case .failure(let refusal):
            try note(
                passage, code: ownCode, reason: refusal.reason.rawValue, fate: isBroken ? .broken : .sent)
            throw refusal
        }
    }

    /// Lets a request in that has a stream of replies, up to its first message. End it with `close`.
    func open(_ fact: RequestFact, _ context: ServerContext) async throws -> Passage {
        let space = try core.space(named: Self.namespace(context))
        let venue = core.venue
        var (arrival, reached) = try await core.perform(in: space) { book, now throws(BrokerRefusal) in
            let noted = try book.arrive(fact, terms: nil, at: now, venue)
            return Decision(records: noted.records, answer: (noted.answer, now))
        } then: { _, answer in
            answer
        }
        let passage = Passage(space: space, arrival: arrival)
        tell(context, passage)
        do {
            for point in [InjectionPoint.beforeRead, .afterReadBeforeCommit, .afterCommitBeforeReply, .duringReply] {
                try await strike(point, passage, context, from: &reached)
            }
        } catch {
            passage.admissions.leaveAll(gates)
            throw error
        }
        return passage
    }

    /// Notes the end of what `open` let in; nil when all went well.
    func close(_ passage: Passage, _ error: (any Error)?) {
        passage.admissions.leaveAll(gates)
        let status = error.map { Status(describing: $0) } ?? .ok
        let isGone = error is CancellationError
        // Its namespace may be gone, or the disk: then there is no journal to note it in.
        try? note(
            passage, code: isGone ? nil : status.code, reason: status.isOK || isGone ? "" : status.reason,
            fate: isGone ? .callerGone : .sent)
    }

    // MARK: Steps

    private static func namespace(_ context: ServerContext) -> String {
        context.metadata["x-mock-namespace"] ?? Namespaces.defaultName
    }

    private static func decided<Answer>(
        _ arrival: Arrival, _ order: (Answer) -> BrokerOrderID?, at now: UnixTime,
        _ decide: () throws(BrokerRefusal) -> Decision<Answer>
    ) -> ([BrokerRecord], Result<Answer, BrokerRefusal>) {
        do throws(BrokerRefusal) {
            let decision = try decide()
            guard !decision.records.isEmpty, let order = order(decision.answer) else {
                return (decision.records, .success(decision.answer))
            }
            return (
                decision.records + [.committed(request: arrival.number, order, at: now)], .success(decision.answer)
            )
        } catch {
            return ([], .failure(error))
        }
    }

    /// Whether the request would be carried out now.
    private func isGood(
        _ space: SpaceID, _ decide: (borrowing BrokerBook, UnixTime) throws(BrokerRefusal) -> Void
    ) async throws(BrokerRefusal) -> Bool {
        try await core.read(in: space) { book, now throws(BrokerRefusal) in
            do throws(BrokerRefusal) {
                try decide(book, now)
                return true
            } catch {
                return false
            }
        }
    }

    /// Carries out what rules do to the request at this place.
    ///
    /// - Parameters:
    ///   - ownCode: of the broker's own answer, when it has one.
    ///   - reached: when the request came to this place; afterwards, when it left it.
    /// - Throws: the status that the caller sees instead of an answer.
    private func strike(
        _ point: InjectionPoint, _ passage: Passage, _ context: ServerContext, _ ownCode: Status.Code? = nil,
        from reached: inout UnixTime
    ) async throws {
        for firing in passage.arrival.firings(at: point) {
            switch firing.action {
            case .latency:
                let start = reached
                reached = try await notingGoneCaller(passage, ownCode) {
                    try await delay(firing, in: passage.space, from: start)
                }
            case .rpc(.status(let code, let message, let detail, let retryAfter)):
                let status = Status(code, message, detail, retryAfter)
                try note(passage, code: ownCode, shown: status.code, fate: .replaced)
                throw status
            case .rpc(.noAnswer):
                try note(passage, code: ownCode, fate: .withheld)
                try await hold(context)
            case .crash(let loss):
                core.crash(loss)
                try await hold(context)
            case .transport(let fault):
                if fault.endsCall, point != .duringReply { try note(passage, code: ownCode, fate: .broken) }
                try await context.carryOut(fault.transportFault(at: point))
                // The call is over for its caller, and for this task.
                if fault.endsCall, point != .duringReply { throw CancellationError() }
            case .rpc(.wrongBody): break
            case .capacity(let fault): try await admit(fault, firing.rule, passage, context)
            case .order, .fills, .event, .visibility: break
            }
        }
    }

    /// Counts the request where a capacity rule looks, and waits or refuses as it says.
    private func admit(
        _ fault: CapacityFault, _ rule: String, _ passage: Passage, _ context: ServerContext
    ) async throws {
        let key = CapacityGates.Key(space: passage.space, rule: rule, fault: fault)
        let limit = ContinuousClock.now + noAnswerLimit
        let now = try core.now(in: passage.space)
        let verdict = try await notingGoneCaller(passage, nil) {
            try await gates.enter(key, at: now, patience: min(limit, context.deadline?.instant ?? limit))
        }
        if case .refuse(let retryAfter) = verdict {
            let detail = WireErrorDetail(
                reason: "CAPACITY_EXCEEDED", certainty: .definitelyNotDone, retry: .sameIDAfter,
                context: ["rule_id": rule])
            try note(passage, code: nil, shown: .resourceExhausted, fate: .replaced)
            throw Status(Status.Code.resourceExhausted.rawValue, "too many requests", detail, retryAfter)
        }
        passage.admissions.add(key)
        guard case .pause(let duration) = verdict else { return }
        try await notingGoneCaller(passage, nil) {
            try await core.sleep(in: passage.space, until: try core.now(in: passage.space) + duration)
        }
    }

    /// Waits as long as was drawn, and returns when that was over.
    private func delay(_ firing: Firing, in space: SpaceID, from start: UnixTime) async throws -> UnixTime {
        guard let microseconds = firing.values.first else { return start }
        guard microseconds != LatencyDistribution.untilReleased else {
            try await core.waitForRelease(of: firing.rule, in: space)
            return try core.now(in: space)
        }
        let end = start + .microseconds(microseconds)
        if microseconds > 0 { try await core.sleep(in: space, until: end) }
        return end
    }

    /// Waits until the caller stops waiting, at most `noAnswerLimit`, and never returns.
    ///
    /// The transport cancels this task when the caller has gone or its deadline has passed; a caller that would wait for
    /// ever finds, after the limit, what a broken connection looks like: UNAVAILABLE without any detail.
    private func hold(_ context: ServerContext) async throws -> Never {
        let limit = ContinuousClock.now + noAnswerLimit
        let end = min(limit, context.deadline?.instant ?? limit)
        try await Task.sleep(until: end, clock: .continuous)
        throw Status(.unavailable, "connection lost")
    }

    private func notingGoneCaller<Output>(
        _ passage: Passage, _ ownCode: Status.Code?, _ body: () async throws -> Output
    ) async throws -> Output {
        do {
            return try await body()
        } catch let error as CancellationError {
            try note(passage, code: ownCode, fate: .callerGone)
            throw error
        }
    }

    private func note(
        _ passage: Passage, code: Status.Code?, reason: String = "", shown: Status.Code? = nil, fate: ReplyFate
    ) throws(BrokerRefusal) {
        let fact = ReplyFact(
            request: passage.arrival.number, code: code?.rawValue, reason: reason, shownCode: shown?.rawValue,
            fate: fate)
        try core.note(in: passage.space) { now in [.replied(fact, at: now)] }
    }

    /// Says in the trailers which rules fired, unless the namespace hides that.
    private func tell(_ context: ServerContext, _ passage: Passage) {
        guard !passage.arrival.firings.isEmpty, !core.hidesDecisions(in: passage.space) else { return }
        var metadata = Metadata()
        for firing in passage.arrival.firings {
            metadata.add("\(firing.rule)@\(firing.point.name)", for: "x-mock-decision")
        }
        context.appendTrailingMetadata(metadata)
    }
}

extension Status {
    /// What a rule says instead of the broker.
    fileprivate init(_ code: Int, _ message: String, _ detail: WireErrorDetail?, _ retryAfter: Duration?) {
        var details: [Google_Protobuf_Any] = []
        if let detail { details.append(Google_Protobuf_Any(packing: detail)) }
        var metadata = Metadata()
        if let retryAfter {
            details.append(
                Google_Protobuf_Any(packing: GoogleRPCRetryInfo(retryDelay: Google_Protobuf_Duration(retryAfter))))
            metadata.add("\(retryAfter.wholeMilliseconds)", for: "grpc-retry-pushback-ms")
        }
        guard let known = Code(rawValue: code) else { preconditionFailure("a rule with the code \(code) is refused") }
        let rich = GoogleRPCStatus(code: Int32(code), message: message, details: details)
        self.init(known, message, details: details.isEmpty ? [] : rich.encoded(), metadata: metadata)
    }
}

extension Metadata {
    /// Adds a pair of ours, which is always good.
    fileprivate mutating func add(_ text: String, for key: String) {
        do { try append(text, for: key) } catch { preconditionFailure("\(key): \(error)") }
    }
}

extension Arrival {
    /// The wrong body that the reply has, when a rule says so.
    fileprivate var wrongBody: RPCFault.WrongBody? {
        for firing in firings { if case .rpc(.wrongBody(let wrong)) = firing.action { return wrong } }
        return nil
    }
}

extension Firing {
    fileprivate var breaksReply: Bool { if case .transport(let fault) = action { fault.endsCall } else { false } }
}

extension Message {
    /// This reply, made wrong on purpose.
    fileprivate func wrong(_ kind: RPCFault.WrongBody) throws -> Self {
        switch kind {
        case .empty: return Self()
        // Field 1000, the number 1.
        case .unknownField: return try Self(decoding: encoded() + [0xC0, 0x3E, 1])
        case .otherOrder:
            return try changed { field, value in
                guard case .string = value, field.name.hasSuffix("order_id") else { return value }
                return .string("another-order")
            }
        case .unknownEnum:
            return try changed { _, value in if case .enum = value { .enum(99) } else { value } }
        }
    }

    private func changed(_ change: (FieldSchema, DynamicValue) -> DynamicValue) throws -> Self {
        func walk(_ message: DynamicMessage) -> DynamicMessage {
            var message = message
            for field in message.schema.fields {
                guard let value = message[field] else { continue }
                switch value {
                case .message(let inner): message[field] = .message(walk(inner))
                default: message[field] = change(field, value)
                }
            }
            return message
        }
        return try Self(decoding: walk(try DynamicMessage(decoding: encoded(), as: Self.schema)).encoded())
    }
}
