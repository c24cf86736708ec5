internal import Contracts
internal import Protobuf

extension JournalMatcher {
    /// Reads a matcher; refusals name the field within it. One that no entry can ever match is refused, since a test
    /// that expects none of them would prove nothing.
    init(_ wire: BrokerJournalMatcher) throws(InvalidSetting) {
        try UnknownParts.refuse(in: wire)
        self.init()
        let calls: Set<Kind> = [.request, .reply]
        let all: Set<Kind> = [.request, .reply, .delivery]
        if wire.kind != .unspecified {
            guard let kind = Kind(rawValue: UInt8(clamping: wire.kind.rawValue)) else {
                throw InvalidSetting(path: "kind", problem: "is unknown")
            }
            kinds = [kind]
        }
        if wire.operation != .unspecified {
            operation = Operation(rawValue: UInt8(clamping: wire.operation.rawValue))
            try narrow(to: calls, "operation")
        }
        if !wire.account.isEmpty {
            account = wire.account
            try narrow(to: all, "account")
        }
        if !wire.clientOrderID.isEmpty {
            clientOrder = wire.clientOrderID
            try narrow(to: all, "client_order_id")
        }
        if let code = wire.code {
            self.code = Int(try SettingReader.number(code, in: 0...16, "code"))
            try narrow(to: [.reply], "code")
        }
        if wire.replyFate != .unspecified {
            replyFate = ReplyFate(rawValue: UInt8(clamping: wire.replyFate.rawValue))
            try narrow(to: [.reply], "reply_fate")
        }
        if let committed = wire.committed {
            self.committed = committed
            try narrow(to: [.reply], "committed")
        }
        if wire.deliveryFate != .unspecified {
            deliveryFate = DeliveryFate(rawValue: UInt8(clamping: wire.deliveryFate.rawValue))
            try narrow(to: [.delivery], "delivery_fate")
        }
        if !wire.execID.isEmpty {
            execution = wire.execID
            try narrow(to: [.delivery], "exec_id")
        }
        if !wire.ruleID.isEmpty {
            rule = wire.ruleID
            try narrow(to: all, "rule_id")
        }
        if wire.attempt != 0 {
            attempt = Int(try SettingReader.number(wire.attempt, in: 0...Int32.max, "attempt"))
            try narrow(to: all, "attempt")
        }
    }

    private mutating func narrow(to possible: Set<Kind>, _ path: String) throws(InvalidSetting) {
        kinds.formIntersection(possible)
        guard kinds.isEmpty else { return }
        throw InvalidSetting(path: path, problem: "belongs to another kind of entry than what else is set")
    }
}
