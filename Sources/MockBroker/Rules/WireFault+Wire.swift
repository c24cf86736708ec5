internal import Contracts
internal import Protobuf
internal import RPCCore

extension WireFault {
    /// Reads a fault; refusals name the field within it.
    ///
    /// - Parameter isOfCall: whether a call carries it out, and not the control service.
    init(_ wire: BrokerTransportFault, isOfCall: Bool = true) throws(InvalidSetting) {
        typealias Reader = SettingReader
        switch wire.fault {
        case .resetStream(let wire):
            self = .resetStream(
                code: wire.code,
                afterMessages: Int(
                    try Reader.number(wire.afterMessages, in: 0...1000, "reset_stream.after_messages")))
        case .goAway(let wire):
            let last: ConnectionFault.LastStream =
                wire.coversThisCall ? .all : isOfCall ? .beforeCall : .none
            self = .connection(.goAway(code: wire.code, last: last))
        case .close: self = .connection(.close)
        case .halfClose: self = .connection(.halfClose)
        case .resetConnection: self = .connection(.reset)
        case .blackHole: self = .connection(.blackHole)
        case .headersOnly: self = .headersOnly
        case .missingTrailers: self = .missingTrailers
        case .missingStatus: self = .missingStatus
        case .frameTooLarge: self = .connection(.oversizedFrame)
        case .windowNeverOpens: self = .connection(.closedWindow)
        case .singleStream: self = .connection(.oneStream)
        case .slowBytes(let wire):
            self = .slowBytes(
                Int(try Reader.number(wire.bytes, in: 1...16_384, "slow_bytes.bytes")),
                every: .microseconds(
                    try Reader.requiredMicroseconds(wire.interval, "slow_bytes.interval", atLeast: 1000)))
        case .corruptMessage: self = .corruptMessage
        case .httpAnswer(let wire):
            let contentType = wire.contentType.isEmpty ? "text/html" : wire.contentType
            guard contentType.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw InvalidSetting(path: "http_answer.content_type", problem: "must be printable ASCII")
            }
            self = .httpAnswer(
                status: Int(try Reader.number(wire.status, in: 200...599, "http_answer.status")),
                contentType: try Reader.text(contentType, upTo: 128, "http_answer.content_type"),
                body: Array(try Reader.text(wire.body, upTo: 4096, "http_answer.body").utf8))
        case .pingUnanswered: self = .connection(.ignoredPings)
        case nil: throw InvalidSetting(path: "fault", problem: "is missing")
        }
    }
}
