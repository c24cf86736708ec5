internal import Contracts
internal import Domain
internal import Protobuf

extension RuleSelector {
    /// Reads a selector; refusals name the field within it.
    init(_ wire: BrokerSelector) throws(InvalidSetting) {
        self.init()
        for (index, operation) in wire.operations.enumerated() {
            guard let known = Operation(rawValue: UInt8(clamping: operation.rawValue)) else {
                throw InvalidSetting(path: "operations[\(index)]", problem: "is missing")
            }
            operations.insert(known)
        }
        for (index, kind) in wire.execTypes.enumerated() {
            guard let known = ReportKind(kind) else {
                throw InvalidSetting(path: "exec_types[\(index)]", problem: "is no report of this broker")
            }
            reports.insert(known)
        }
        account = try Self.id(wire.account, "account", as: AccountID.self)?.text
        clientOrder = try Self.id(wire.clientOrderID, "client_order_id", as: ClientOrderID.self)?.text
        symbol = try Self.id(wire.symbol, "symbol", as: InstrumentID.self)
        clientOrderPrefix = try SettingReader.text(wire.clientOrderIDPrefix, upTo: 36, "client_order_id_prefix")
        side = wire.side.domain
        orderType = wire.ordType.domain
        timeInForce = wire.timeInForce.domain
        attempts = try Self.range(wire.fromAttempt, wire.toAttempt, "from_attempt", "to_attempt")
        matches = try Self.range(wire.fromMatch, wire.toMatch, "from_match", "to_match")
        notBefore = try SettingReader.time(wire.notBefore, "not_before")
        notAfter = try SettingReader.time(wire.notAfter, "not_after")
        if let notBefore, let notAfter, notBefore >= notAfter {
            throw InvalidSetting(path: "not_after", problem: "must be after not_before")
        }
        for (name, value) in wire.metadata {
            guard !name.isEmpty, name == name.lowercased() else {
                throw InvalidSetting(path: "metadata[\(name)]", problem: "must be named in lower case")
            }
            metadata[name] = value
        }
    }

    private static func range(
        _ from: Int32, _ to: Int32, _ fromPath: String, _ toPath: String
    ) throws(InvalidSetting) -> ClosedRange<Int> {
        let first = max(1, Int(try SettingReader.number(from, in: 0...Int32.max, fromPath)))
        let last = try SettingReader.number(to, in: 0...Int32.max, toPath) == 0 ? Int.max : Int(to)
        guard first <= last else { throw InvalidSetting(path: toPath, problem: "must not be below \(fromPath)") }
        return first...last
    }

    private static func id<Kind>(
        _ text: String, _ path: String, as type: ID<Kind>.Type
    ) throws(InvalidSetting) -> ID<Kind>? {
        guard !text.isEmpty else { return nil }
        guard let id = ID<Kind>(rawValue: text) else { throw InvalidSetting(path: path, problem: "is no id") }
        return id
    }
}

extension ReportKind {
    init?(_ wire: WireExecType) {
        switch wire {
        case .new: self = .new
        case .trade: self = .trade
        case .canceled: self = .canceled
        case .expired: self = .expired
        case .rejected: self = .rejected
        case .replaced: self = .replaced
        case .suspended: self = .suspended
        case .restated: self = .restated
        case .tradeCancel: self = .tradeCancel
        case .tradeCorrect: self = .tradeCorrect
        case .unspecified, .unrecognized: return nil
        }
    }
}
