import Domain
import Foundation
import Protobuf
import RPCTool
import Synchronization

/// What happened in all services, in the order of their clocks, told in words: read from their logs as they grow.
final class Timeline: Sendable {
    /// One line of a log.
    struct Event: Sendable {
        let at: UnixTime
        let service: String
        let name: String
        let facts: [String: String]
    }

    private struct State {
        var offsets: [String: UInt64] = [:]
        var start: UnixTime?
    }

    private let folder: StackFolder
    private let state = Mutex(State())
    private let isColoured: Bool

    init(folder: StackFolder, isColoured: Bool) {
        self.folder = folder
        self.isColoured = isColoured
    }

    /// Leaves out what has happened until now.
    func skip() { _ = takeEvents() }

    /// Prints what is new.
    func show() {
        let events = takeEvents().sorted { $0.at < $1.at }
        let start = state.withLock { state in
            state.start = state.start ?? events.first?.at
            return state.start
        }
        guard let start else { return }
        for event in events {
            guard let sentence = Sentence(event) else { continue }
            print(line(event, sentence.text, after: event.at - start))
        }
    }

    private func line(_ event: Event, _ sentence: String, after time: Duration) -> String {
        let clock = "+" + padded(TimeText.format(time), 9, left: true)
        let service = padded(event.service, 14, left: false)
        guard isColoured else { return "  \(clock)  \(service)  \(sentence)" }
        return "  \u{1B}[2m\(clock)\u{1B}[0m  \u{1B}[36m\(service)\u{1B}[0m  \(sentence)"
    }

    private func padded(_ text: String, _ width: Int, left: Bool) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return left ? space + text : text + space
    }

    /// Whole lines that were written since the last call.
    private func takeEvents() -> [Event] {
        state.withLock { state in
            var events: [Event] = []
            for service in Stack.services {
                let path = folder.log(of: service.rawValue)
                guard let file = FileHandle(forReadingAtPath: path) else { continue }
                defer { try? file.close() }
                let offset = state.offsets[path] ?? 0
                guard (try? file.seek(toOffset: offset)) != nil, let data = try? file.readToEnd(),
                    let end = data.lastIndex(of: UInt8(ascii: "\n"))
                else { continue }
                state.offsets[path] = offset + UInt64(end - data.startIndex + 1)
                for line in data[...end].split(separator: UInt8(ascii: "\n")) {
                    if let event = Self.parse(String(decoding: line, as: UTF8.self)) { events.append(event) }
                }
            }
            return events
        }
    }

    /// Nil for what is no event, such as the last words of a crash.
    static func parse(_ line: String) -> Event? {
        guard let object = try? Google_Protobuf_Struct(json: line) else { return nil }
        var facts: [String: String] = [:]
        for (key, value) in object.fields {
            switch value.kind {
            case .stringValue(let text): facts[key] = text
            case .numberValue(let number): facts[key] = "\(Int64(number))"
            case .boolValue(let flag): facts[key] = "\(flag)"
            default: continue
            }
        }
        guard let at = facts["at"].flatMap({ UnixTime($0) }), let service = facts["service"], let name = facts["event"]
        else { return nil }
        return Event(at: at, service: service, name: name, facts: facts)
    }
}

/// An event in words; nil for events that are no part of the story.
struct Sentence {
    let text: String

    init?(_ event: Timeline.Event) {
        let facts = event.facts
        func fact(_ key: String) -> String { facts[key] ?? "?" }
        func short(_ key: String) -> String { Self.short(fact(key)) }
        switch (event.service, event.name) {
        case ("mock-broker", "order.accepted"):
            text = "accepts order \(short("order_id")) for \(short("client_order_id"))"
        case ("mock-broker", "order.replayed"):
            text = "knows \(short("client_order_id")) already: the first answer again, no second order"
        case ("mock-broker", "order.reply_lost"):
            text = "has committed \(short("client_order_id")), and its reply is lost"
        case ("mock-broker", "order.refused"): text = "refuses \(short("client_order_id")): \(fact("reason"))"
        case ("mock-broker", "execution.reported"):
            text = "reports \(fact("exec_type")) \(short("exec_id")) of \(short("client_order_id"))"
        case ("mock-broker", "cancel.accepted"): text = "takes the cancel of \(short("client_order_id")) on"
        case ("broker-gateway", "attempt.sent"):
            text = "sends attempt \(fact("attempt")) of \(short("order_id")) (\(fact("kind")))"
        case ("broker-gateway", "attempt.ended"):
            let reason = facts["reason"].flatMap { $0.isEmpty ? nil : " (\($0))" } ?? ""
            text = "attempt \(fact("attempt")) of \(short("order_id")): \(fact("outcome"))\(reason)"
        case ("fill-receiver", "execution.stored"):
            text = "stores execution \(short("exec_id")) of \(short("order_id")) as number \(fact("receiver_sequence"))"
        case ("fill-receiver", "execution.duplicate"): text = "knows \(short("exec_id")): \(fact("copies")) × dropped"
        case ("fx", _):
            text =
                "\(Self.words(event.name)) \(short("exchange_id"))\(facts["detail"].map { ": \(Self.short(inside: $0))" } ?? "")"
        case ("account-krw", "operation.applied"), ("account-fx", "operation.applied"),
            ("account-krw", "operation.refused"), ("account-fx", "operation.refused"),
            ("account-fx", "hold.placed"), ("account-fx", "hold.refused"):
            let words = ["kind", "amount", "account_id", "reason"].compactMap { facts[$0] }.joined(separator: " ")
            text = "\(Self.words(event.name)): \(words)"
        case ("trading", let name) where name.hasPrefix("order."):
            text =
                "\(Self.words(name)) \(short("order_id")) → \(fact("ord_status"))  \(Self.short(inside: fact("detail")))"
        case ("trading", "alert.raised"): text = "ALERT \(short("order_id")): \(fact("what"))"
        default: return nil
        }
    }

    private static func words(_ name: String) -> String {
        name.split(whereSeparator: { $0 == "." || $0 == "_" }).joined(separator: " ")
    }

    /// The last eight characters of a long id: a time-ordered id begins like its neighbours.
    private static func short(_ id: String) -> String { id.count > 20 ? "…" + id.suffix(8) : id }

    private static func short(inside text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false).map { word in
            word.count > 35 && word.contains("-") ? "…" + word.suffix(8) : String(word)
        }.joined(separator: " ")
    }
}
