import Foundation
import RPCTool

/// The outcome of a load on one method, with what it was measured on.
struct RPCReport: Sendable, Equatable, Codable {
    /// UTC, as in RFC 3339.
    let date: String
    let machine: Machine
    /// Of the machine in the minute before, as /proc/loadavg says. Nil where it says nothing.
    let loadBefore: Double?
    let target: String
    let method: String
    let arrivals: String
    let connections: Int
    let threads: Int
    let figures: LoadFigures

    var text: String {
        """
        target    \(target) \(method)
        load      \(arrivals), \(connections) connections, \(threads) threads
        \(figures.text)
        machine   \(machine.cores) cores, \(machine.processor), load before \(loadBefore.map { "\($0)" } ?? "unknown")
        program   \(machine.configuration), commit \(machine.commit)
        date      \(date)
        """
    }

    /// One object with sorted keys.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
