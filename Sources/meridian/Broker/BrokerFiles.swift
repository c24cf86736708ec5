import Contracts
import Domain
import Foundation
import Protobuf
import RPCTool

/// The files that a mock broker's user writes. Each throws `ToolFailure.invalid` with the file and the field's path.
enum BrokerFiles {
    /// A rule, a list of rules, or an object that has one under `rules`.
    static func rules(_ path: String) throws -> [BrokerRule] {
        let text = try InputText.read("@\(path)")
        switch text.first(where: { !$0.isWhitespace }) {
        case "[": return try read(path) { try BrokerSetRulesRequest(json: "{\"rules\":\(text)}").rules }
        default:
            if let set = try? BrokerSetRulesRequest(json: text) { return set.rules }
            return try read(path) { [try BrokerRule(json: text)] }
        }
    }

    static func behavior(_ path: String) throws -> BrokerBehavior { try message(path) }

    /// A message as JSON.
    static func message<Wanted: Message>(_ path: String) throws -> Wanted {
        let text = try InputText.read("@\(path)")
        return try read(path) { try Wanted(json: text) }
    }

    /// Symbols with their prices as text.
    static func prices(_ path: String) throws -> [InstrumentID: Price] {
        let text = try InputText.read("@\(path)")
        let table: [String: String]
        do {
            table = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
        } catch {
            throw ToolFailure.invalid(
                "\(path): is no object of symbols and prices as text, like {\"AAPL\":\"223.02\"}.")
        }
        var prices: [InstrumentID: Price] = [:]
        for (name, value) in table {
            guard let symbol = InstrumentID(rawValue: name), let price = try? Price(value), price.isPositive else {
                throw ToolFailure.invalid("\(path): \(name): \(value) is no price of a symbol.")
            }
            prices[symbol] = price
        }
        return prices
    }

    private static func read<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw ToolFailure.invalid("\(path): \(error)") }
    }
}
