internal import Contracts
internal import Domain
internal import Limits
internal import Logging
internal import Postgres
internal import RPCCore
internal import ServiceKit

/// The calls of `meridian.fx.v1.FxService`.
struct FXHandlers: FxService {
    let configuration: FXSagaConfiguration
    let environment: ServiceEnvironment
    let store: ExchangeStore
    let acceptance: Acceptance
    let drives: DriveQueue
    let waiters: ExchangeWaiters
    let metrics: FXSagaMetrics

    func getQuote(_ request: FXGetQuoteRequest, context: ServerContext) async throws -> FXQuote {
        let (buy, currency) = try ExchangeOrder.pair(request.buy, request.sellCurrency)
        return try await answer {
            let price = try await acceptance.currentPrice(buying: buy, selling: currency)
            let id = QuoteID(at: environment.now(), random: (environment.random(), environment.random()))
            let expiresAt = try await Deadline.within(store.timeout) {
                try await store.postgres.queryOne(
                    InsertQuote(id: id, price: price, lifetime: configuration.quoteLifetime))
            }
            guard let expiresAt else { throw StoredValueUnknown(column: "expires_at", value: "none") }
            return FXQuote(id, price, expiresAt: expiresAt)
        }
    }

    func createExchange(_ request: FXCreateExchangeRequest, context: ServerContext) async throws -> FXExchange {
        let order = try ExchangeOrder(request)
        return try await answer {
            guard drives.hasRoom else { throw Refusal.tooMany }
            switch try await acceptance.decide(order) {
            case .accepted(let claim):
                metrics.accepted.increment()
                metrics.entered(.requested)
                environment.log.info(
                    "exchange.accepted",
                    metadata: [
                        "exchange_id": "\(order.id)", "customer_id": "\(order.customer)", "buy": "\(order.buy)",
                        "purpose": "\(order.purpose)",
                    ])
                let record = try await settled(order.id) { drives.start(.init(claim: claim)) }
                return FXExchange(record, replayed: false)
            case .known:
                metrics.replayed.increment()
                environment.log.info("exchange.replayed", metadata: ["exchange_id": "\(order.id)"])
                return FXExchange(try await settled(order.id), replayed: true)
            }
        }
    }

    func getExchange(_ request: FXGetExchangeRequest, context: ServerContext) async throws -> FXExchange {
        let id = try ExchangeID(exchange: request.exchangeID)
        return try await answer { FXExchange(try await load(id), replayed: false) }
    }

    func listExchanges(
        _ request: FXListExchangesRequest, context: ServerContext
    ) async throws -> FXListExchangesResponse {
        guard (0...500).contains(request.pageSize) else {
            throw Refusal(
                .invalidArgument, "PAGE_SIZE_OUT_OF_RANGE", "page_size is 1 to 500, or 0 for 100",
                context: ["page_size": "\(request.pageSize)"])
        }
        guard let after = request.pageToken.isEmpty ? .newest : ExchangePosition(token: request.pageToken) else {
            throw Refusal(.invalidArgument, "PAGE_TOKEN_INVALID", "page_token is none that this service gave out")
        }
        let size = Int64(request.pageSize == 0 ? 100 : request.pageSize)
        return try await answer {
            let rows = try await Deadline.within(store.timeout) {
                try await store.postgres.query(ListExchanges(after: after, limit: size + 1))
            }
            let page = rows.prefix(Int(size))
            return FXListExchangesResponse(
                exchanges: page.map { FXExchange($0.snapshot, state: $0.state, reason: $0.shownReason) },
                nextPageToken: rows.count > page.count ? page.last?.position.token ?? "" : "")
        }
    }

    func redriveExchange(_ request: FXRedriveExchangeRequest, context: ServerContext) async throws -> FXExchange {
        let id = try ExchangeID(exchange: request.exchangeID)
        let redrive = try Redrive(operatorName: request.operatorName, checking: request.reason)
        return try await answer {
            let before = try await load(id)
            guard before.state == .parked else { throw Refusal.notParked(id, before.state) }
            guard drives.hasRoom else { throw Refusal.tooMany }
            guard let claim = try await store.claim(id) else { throw Refusal.notParked(id, try await load(id).state) }
            environment.log.notice(
                "exchange.redriven",
                metadata: [
                    "exchange_id": "\(id)", "operator": "\(redrive.operatorName)", "reason": "\(redrive.reason)",
                ])
            let record = try await settled(id, after: before.log.count) {
                drives.start(.init(claim: claim, redrive: redrive))
            }
            return FXExchange(record, replayed: false)
        }
    }

    private func load(_ id: ExchangeID) async throws -> ExchangeRecord {
        guard let record = try await store.load(id) else { throw Refusal.exchangeUnknown(id) }
        return record
    }

    /// The exchange once it has ended or is parked, or as it is when the caller's time is nearly over.
    ///
    /// - Parameters:
    ///   - lines: a log of no more lines is not looked at: it is the one from before.
    ///   - start: called when nothing can be missed any more.
    private func settled(
        _ id: ExchangeID, after lines: Int = 0, _ start: () -> Void = {}
    ) async throws -> ExchangeRecord {
        let limit = Deadline.after(configuration.longestWait)
        let giveUp = min(limit, Deadline.current ?? limit).instant - configuration.answerMargin
        return try await waiters.withWakeUp(for: id) { wakeUp in
            start()
            while true {
                let record = try await load(id)
                let remaining = ContinuousClock.now.duration(to: giveUp)
                if (record.isSettled && record.log.count > lines) || remaining <= .zero { return record }
                await wakeUp.wait(atMost: min(configuration.pollInterval, remaining))
                try Task.checkCancellation()
            }
        }
    }

    /// Turns the store's errors into refusals.
    private func answer<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as PostgresError {
            environment.log.warning("store.failed", metadata: ["error": "\(error)"])
            throw Refusal(error)
        } catch let refusal as Refusal {
            metrics.refused.increment()
            environment.log.info("request.refused", metadata: ["reason": "\(refusal.reason)"])
            throw refusal
        }
    }
}

extension ListExchanges.Row {
    /// Only an exchange that failed has a reason to show.
    fileprivate var shownReason: ReasonCode? {
        switch state {
        case .failed, .cancelRequested, .cancelled: reason
        case .requested, .withdrawRequested, .withdrawSucceeded, .withdrawRefused, .withdrawUnknown, .depositRequested,
            .depositSucceeded, .depositRefused, .depositUnknown, .completed, .parked:
            nil
        }
    }
}

extension Redrive {
    fileprivate init(operatorName: String, checking reason: String) throws(Refusal) {
        for (field, text, limit) in [("operator_name", operatorName, 64), ("reason", reason, 500)] {
            guard !text.isEmpty, text.unicodeScalars.count <= limit, !text.utf8.contains(0) else {
                throw Refusal(
                    .invalidArgument, "FIELD_MALFORMED", "\(field) has 1 to \(limit) characters, none of them NUL",
                    context: ["field": field])
            }
        }
        self.init(operatorName: operatorName, reason: reason)
    }
}
