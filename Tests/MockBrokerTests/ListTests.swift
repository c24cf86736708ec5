import Contracts
import Domain
import MockBroker
import RPCCore
import Testing

/// Pages, mass status and the filter of the feed, as clients see them.
@Suite struct ListTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Seven resting orders of alice, of which the third and the sixth are cancelled, and one of bob.
    private func fill(_ fixture: BrokerFixture) async throws {
        for number in 1...7 { _ = try await fixture.place("\(number)", price: "1.00") }
        for number in [3, 6] {
            _ = try await fixture.broker.cancelOrder(
                BrokerCancelOrderRequest(clientOrderID: "c\(number)", origClientOrderID: "\(number)", account: "alice"))
        }
        _ = try await fixture.broker.placeOrder(BrokerFixture.request("8", account: "bob", price: "1.00"))
    }

    private func pages(
        _ fixture: BrokerFixture, onlyOpen: Bool, size: Int32
    ) async throws -> (pages: [[String]], totals: Set<Int64>) {
        var request = BrokerListOrdersRequest(account: "alice", onlyOpen: onlyOpen, pageSize: size)
        var pages: [[String]] = []
        var totals: Set<Int64> = []
        repeat {
            let page = try await fixture.broker.listOrders(request)
            pages.append(page.orders.map(\.clientOrderID))
            totals.insert(page.total)
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty && pages.count < 20
        return (pages, totals)
    }

    @Test func ordersComeInPages() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            try await fill(fixture)
            let all = try await pages(fixture, onlyOpen: false, size: 3)
            #expect(all.pages == [["1", "2", "3"], ["4", "5", "6"], ["7"]])
            #expect(all.totals == [7])
            let open = try await pages(fixture, onlyOpen: true, size: 2)
            #expect(open.pages == [["1", "2"], ["4", "5"], ["7"]])
            #expect(open.totals == [5])
            #expect(try await pages(fixture, onlyOpen: false, size: 0).pages.map(\.count) == [7])
            let nobody = try await fixture.broker.listOrders(BrokerListOrdersRequest(account: "nobody"))
            #expect(nobody.orders.isEmpty && nobody.total == 0 && nobody.nextPageToken.isEmpty)
            for size in [-1, 1001] as [Int32] {
                let wrong = await status { try await pages(fixture, onlyOpen: false, size: size) }
                #expect(wrong?.reason == "PAGE_SIZE_INVALID")
            }
        }
    }

    /// A page goes on where the last one ended, whatever was placed or ended meanwhile.
    @Test func pagesStandChanges() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            try await fill(fixture)
            var request = BrokerListOrdersRequest(account: "alice", onlyOpen: true, pageSize: 2)
            request.pageToken = try await fixture.broker.listOrders(request).nextPageToken
            for number in [1, 2, 4] {
                _ = try await fixture.broker.cancelOrder(
                    BrokerCancelOrderRequest(
                        clientOrderID: "c\(number)", origClientOrderID: "\(number)", account: "alice"))
            }
            let page = try await fixture.broker.listOrders(request)
            #expect(page.orders.map(\.clientOrderID) == ["5", "7"])
            #expect(page.total == 2)
        }
    }

    @Test func tokensOfOthersAreRefused() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            try await fill(fixture)
            _ = try await fixture.control.createNamespace(BrokerCreateNamespaceRequest(namespace: "other"))
            let other = CallOptions(metadata: ["x-mock-namespace": "other"])
            for number in 1...3 {
                _ = try await fixture.broker.placeOrder(
                    BrokerFixture.request("\(number)", price: "1.00"), options: other)
            }
            let token = try await fixture.broker.listOrders(
                BrokerListOrdersRequest(account: "alice", pageSize: 2)
            ).nextPageToken
            func reason(_ token: String, account: String = "alice", _ options: CallOptions = CallOptions()) async
                -> String?
            {
                let refused = await status {
                    try await fixture.broker.listOrders(
                        BrokerListOrdersRequest(account: account, pageToken: token), options: options)
                }
                return refused?.reason
            }
            #expect(await reason(token) == nil)
            #expect(await reason(token, account: "bob") == "PAGE_TOKEN_INVALID")
            // The same orders are there, at the same places.
            #expect(await reason(token, other) == "PAGE_TOKEN_INVALID")
            for wrong in ["x", "0.1", "0.1.a", "0.-1.a", token + "0", String(repeating: "0", count: 200)] {
                #expect(await reason(wrong) == "PAGE_TOKEN_INVALID", "\(wrong)")
            }
            _ = try await fixture.control.resetNamespace(BrokerResetNamespaceRequest())
            try await fill(fixture)
            #expect(await reason(token) == "PAGE_TOKEN_INVALID")
        }
    }

    private func massStatus(
        _ fixture: BrokerFixture, account: String = "alice"
    ) async throws -> [BrokerMassStatusReport] {
        try await fixture.broker.massStatus(
            BrokerMassStatusRequest(massStatusReqID: "m1", account: account)
        ) { reports in
            var all: [BrokerMassStatusReport] = []
            for try await report in reports { all.append(report) }
            return all
        }
    }

    @Test func massStatusTellsAllWorkingOrders() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            try await fill(fixture)
            let reports = try await massStatus(fixture)
            #expect(reports.compactMap { $0.order?.clientOrderID } == ["1", "2", "4", "5", "7"])
            #expect(reports.allSatisfy { $0.totNumReports == 5 && $0.massStatusReqID == "m1" })
            #expect(reports.map(\.lastRptRequested) == [false, false, false, false, true])
            let none = try await massStatus(fixture, account: "nobody")
            #expect(none == [BrokerMassStatusReport(massStatusReqID: "m1", lastRptRequested: true)])
            let wrong = await status {
                try await fixture.broker.massStatus(BrokerMassStatusRequest(account: "alice")) { reports in
                    for try await _ in reports {}
                }
            }
            #expect(wrong?.reason == "MASS_STATUS_REQ_ID_INVALID")
        }
    }

    @Test func aStreamOfSomeAccountsLeavesTheOthersOut() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            for number in 1...6 {
                _ = try await fixture.broker.placeOrder(
                    BrokerFixture.request(
                        "\(number)", account: ["alice", "bob", "carol"][number % 3], price: "1.00"))
            }
            func read(_ accounts: [String], _ count: Int) async throws -> [Int64] {
                try await fixture.broker.streamExecutions(
                    BrokerStreamExecutionsRequest(accounts: accounts)
                ) { events in
                    var sequences: [Int64] = []
                    for try await event in events {
                        if case .report(let report) = event.event { sequences.append(report.sequence) }
                        if sequences.count == count { break }
                    }
                    return sequences
                }
            }
            #expect(try await read(["bob"], 2) == [1, 4])
            #expect(try await read(["carol", "alice"], 4) == [2, 3, 5, 6])
            #expect(try await read([], 6) == [1, 2, 3, 4, 5, 6])
            let wrong = await status { try await read(["bob", "a b"], 1) }
            #expect(wrong.flatMap { WireErrorDetail($0) }?.context["field"] == "accounts[1]")
            let many = await status { try await read(Array(repeating: "bob", count: 1001), 1) }
            #expect(many?.reason == "TOO_MANY_ACCOUNTS")
        }
    }
}
