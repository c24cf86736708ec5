import Domain
import Foundation
import MockBroker
import RPCTool

/// The outcome of a load on the mock broker, with what it was measured on.
struct BrokerReport: Sendable, Equatable, Codable {
    /// What the broker's process and its disk had to do, warm-up included. Only known of one that was started for it.
    struct Cost: Sendable, Equatable, Codable {
        /// Of one core.
        private(set) var processorPercent: Double
        /// Orders in the journal, and what each took.
        private(set) var journalOrders = 0
        private(set) var processorMicrosecondsPerOrder = 0.0
        private(set) var journalBytesPerOrder = 0.0
        /// Batches that were made durable, each with one fdatasync.
        private(set) var commitsPerSecond = 0.0
        private let processorSeconds: Double
        private let seconds: Double

        init(processor: Duration, lasted: Duration) {
            processorSeconds = processor / .seconds(1)
            seconds = lasted / .seconds(1)
            processorPercent = Self.rounded(processorSeconds / seconds * 100)
        }

        mutating func count(_ journal: JournalCount) {
            let orders = Double(max(1, journal.orders))
            journalOrders = journal.orders
            processorMicrosecondsPerOrder = Self.rounded(processorSeconds * 1e6 / orders)
            journalBytesPerOrder = Self.rounded(Double(journal.bytes) / orders)
            commitsPerSecond = Self.rounded(Double(journal.batches) / seconds)
        }

        private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
    }

    /// UTC, as in RFC 3339.
    let date: String
    let machine: Machine
    let loadBefore: Double?
    let target: String
    let arrivals: String
    let connections: Int
    /// A call is an order; OK is its acceptance.
    let figures: LoadFigures
    var cost: Cost?

    /// What is wrong with it; empty when nothing is.
    var complaint: String {
        let accepted = figures.statuses["OK"] ?? 0
        if accepted != figures.ended || figures.dropped > 0 { return "Not every order was accepted." }
        if let cost, cost.journalOrders < accepted { return "Orders that were accepted are not in the journal." }
        return ""
    }

    var isGood: Bool { complaint.isEmpty }

    var text: String {
        var lines = [
            "target    \(target)", "load      \(arrivals), \(connections) connections", figures.text,
        ]
        if let cost {
            lines.append(
                "broker    \(cost.processorPercent) % of a core, \(cost.processorMicrosecondsPerOrder) us per order; "
                    + "\(cost.commitsPerSecond) commits/s, \(cost.journalBytesPerOrder) bytes per order")
        }
        lines += [
            "machine   \(machine.cores) cores, \(machine.processor), load before \(loadBefore.map { "\($0)" } ?? "unknown")",
            "program   \(machine.configuration), commit \(machine.commit)", "date      \(date)",
        ]
        return lines.joined(separator: "\n")
    }

    /// One object with sorted keys.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

/// How much a journal holds.
struct JournalCount {
    private(set) var orders = 0
    private(set) var batches = 0
    private(set) var bytes = 0

    /// - Parameter path: of a journal that nobody has open.
    init(path: String) throws {
        var accepted = 0
        let file = try JournalFile.open(path: path) { record throws(InvalidRecord) in
            if case .within(_, .accepted) = record { accepted += 1 }
        }
        orders = accepted
        batches = Int(file.sequence)
        bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }
}
