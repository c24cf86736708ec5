internal import Contracts
internal import Domain
internal import Protobuf
internal import RPCCore

// What an account has: its orders, shares and cash.
extension BrokerServiceHandler {
    func listOrders(
        _ request: BrokerListOrdersRequest, context: ServerContext
    ) async throws -> BrokerListOrdersResponse {
        let account = Self.account(request.account)
        let fact = RequestFact(.listOrders, request, context, account: request.account)
        return try await pipeline.run(fact, context) { book, arrival, now throws(BrokerRefusal) in
            guard (0...1000).contains(request.pageSize) else {
                throw .invalidField(path: "page_size", reason: "PAGE_SIZE_INVALID", problem: "is not 0 to 1000")
            }
            let page = try book.listOrders(
                of: try account.get(), onlyOpen: request.onlyOpen,
                limit: request.pageSize == 0 ? 100 : Int(request.pageSize), after: request.pageToken,
                BookView(book.behavior, arrival, at: now))
            return Decision(records: [], answer: page)
        } reply: { book, page in
            BrokerListOrdersResponse(
                orders: page.rows.map { book.told($0) }, nextPageToken: page.nextToken, total: Int64(page.total))
        }
    }

    func massStatus(
        _ request: BrokerMassStatusRequest, responses: ResponseStream<BrokerMassStatusReport>, context: ServerContext
    ) async throws {
        let fact = RequestFact(.massStatus, request, context, account: request.account)
        let passage = try await pipeline.open(fact, context)
        do {
            let account = try Self.account(request.account).get()
            guard (1...64).contains(request.massStatusReqID.utf8.count) else {
                throw BrokerRefusal.invalidField(
                    path: "mass_status_req_id", reason: "MASS_STATUS_REQ_ID_INVALID", problem: "must be 1 to 64 bytes")
            }
            let (total, orders) = try await core.read(in: passage.space) { book, now throws(BrokerRefusal) in
                let view = BookView(book.behavior, passage.arrival, at: now)
                let rows = book.workingOrders(of: account, view)
                return (rows.count, view.page(rows).map { book.told($0) })
            }
            for (index, order) in orders.enumerated() {
                try await responses.write(
                    BrokerMassStatusReport(
                        massStatusReqID: request.massStatusReqID, totNumReports: Int32(clamping: total),
                        lastRptRequested: index == orders.count - 1, order: order))
            }
            if orders.isEmpty {
                try await responses.write(
                    BrokerMassStatusReport(massStatusReqID: request.massStatusReqID, lastRptRequested: true))
            }
            pipeline.close(passage, nil)
        } catch {
            pipeline.close(passage, error)
            throw error
        }
    }

    func listPositions(
        _ request: BrokerListPositionsRequest, context: ServerContext
    ) async throws -> BrokerListPositionsResponse {
        let account = Self.account(request.account)
        let fact = RequestFact(.listPositions, request, context, account: request.account)
        return try await pipeline.run(fact, context) { book, arrival, now throws(BrokerRefusal) in
            let account = try account.get()
            let view = BookView(book.behavior, arrival, at: now)
            let positions = [BrokerPosition](account, view.account(account, in: book)?.shares ?? [:])
            return Decision(records: [], answer: view.page(positions))
        } reply: { _, positions in
            BrokerListPositionsResponse(positions: positions)
        }
    }

    func getAccount(_ request: BrokerGetAccountRequest, context: ServerContext) async throws -> BrokerAccount {
        let account = Self.account(request.account)
        let calendar = core.venue.calendar
        let fact = RequestFact(.getAccount, request, context, account: request.account)
        return try await pipeline.run(fact, context) { book, arrival, now throws(BrokerRefusal) in
            let account = try account.get()
            let view = BookView(book.behavior, arrival, at: now)
            let shown = view.account(account, in: book) ?? AccountBook(openingCash: book.behavior.openingCash)
            return Decision(
                records: [],
                answer: BrokerAccount(
                    account, shown, unsettled: shown.unsettled(at: view.staleTime ?? now, calendar)))
        } reply: { _, account in
            account
        }
    }

    func getStatement(_ request: BrokerGetStatementRequest, context: ServerContext) async throws -> BrokerStatement {
        let wanted = Self.reading {
            let account = try Self.account(request.account).get()
            guard let date = CivilDate(request.tradeDate) else {
                throw BrokerRefusal.invalidField(
                    path: "trade_date", reason: "TRADE_DATE_INVALID", problem: "is no date")
            }
            return (account: account, date: date)
        }
        let venue = core.venue
        let fact = RequestFact(.getStatement, request, context, account: request.account)
        return try await pipeline.run(fact, context) { book, _, now throws(BrokerRefusal) in
            let (account, date) = try wanted.get()
            return Decision(
                records: [], answer: (account, try book.statement(of: account, on: date, at: now, venue)))
        } reply: { book, answer in
            let (account, statement) = answer
            return BrokerStatement(
                account: account.text, tradeDate: request.tradeDate,
                reports: statement.sequences.map { book.toldReport($0) },
                openingCash: WireMoney(statement.openingCash), closingCash: WireMoney(statement.closingCash),
                commissions: WireMoney(statement.commissions),
                positions: [BrokerPosition](account, statement.shares),
                settlementDate: statement.settlementDate.description)
        }
    }

    private static func account(_ text: String) -> Result<AccountID, BrokerRefusal> {
        reading { try AccountID.reading(text, "account", "ACCOUNT_INVALID") }
    }
}
