import ArgumentParser
import Contracts
import Protobuf

/// `meridian broker truth`: what the broker has in its books, whatever it told anyone.
struct TruthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "truth", abstract: "Show orders, reports and positions as the broker has them.",
        discussion: """
            EXAMPLES
              meridian broker truth
              meridian broker truth --account alice --json
            """)
    @Option(name: .long, help: "Only this account.") var account: String = ""
    @OptionGroup var control: ControlOptions

    /// Orders and reports of one call.
    private static let page: Int32 = 1000

    func run() async throws {
        try await control.run { client in
            var truth = BrokerTruth()
            var request = BrokerGetTruthRequest(account: account, limit: Self.page, namespace: control.namespace)
            repeat {
                let page = try await client.getTruth(request, options: ControlOptions.patience)
                let (orders, reports) = (truth.orders + page.orders, truth.reports + page.reports)
                truth = page
                (truth.orders, truth.reports) = (orders, reports)
                request.afterOrder += Int64(Self.page)
                request.afterSequence += Int64(Self.page)
            } while request.afterOrder < truth.orderCount || request.afterSequence < truth.lastSequence
            try control.show(truth) { TruthText.all(truth) }
        }
    }
}

/// Books as people read them.
enum TruthText {
    static func all(_ truth: BrokerTruth) -> String {
        [
            orders(truth.orders), reports(truth.reports), positions(truth.positions),
            "\(truth.placeAttempts) attempts to place, \(truth.lostReplies) replies lost on purpose",
        ].joined(separator: "\n\n")
    }

    static func orders(_ orders: [BrokerOrder]) -> String {
        TextTable.text(
            ["ACCOUNT", "ORDER", "SYMBOL", "SIDE", "TYPE", "QTY", "PRICE", "STATUS", "FILLED", "ACCEPTED", "ORDER ID"],
            orders.map { order in
                [
                    order.account, order.clientOrderID, order.symbol, EnumText.text(order.side),
                    EnumText.text(order.ordType), WireText.decimal(order.orderQty), WireText.decimal(order.price),
                    EnumText.text(order.ordStatus), WireText.decimal(order.cumQty),
                    WireText.time(order.transactTime), order.orderID,
                ]
            }, empty: "No orders.")
    }

    static func reports(_ reports: [BrokerSequencedReport]) -> String {
        TextTable.text(
            ["SEQUENCE", "TYPE", "ACCOUNT", "ORDER", "STATUS", "LAST QTY", "LAST PX", "FILLED", "TIME", "EXECUTION"],
            reports.map { sequenced in
                let report = sequenced.report ?? BrokerExecutionReport()
                return [
                    "\(sequenced.sequence)", EnumText.text(report.execType), report.account, report.clientOrderID,
                    EnumText.text(report.ordStatus), WireText.decimal(report.lastQty), WireText.decimal(report.lastPx),
                    WireText.decimal(report.cumQty), WireText.time(report.transactTime), report.execID,
                ]
            }, empty: "No reports.")
    }

    static func positions(_ positions: [BrokerPosition]) -> String {
        TextTable.text(
            ["ACCOUNT", "SYMBOL", "QTY"], positions.map { [$0.account, $0.symbol, WireText.decimal($0.qty)] },
            empty: "No positions.")
    }
}
