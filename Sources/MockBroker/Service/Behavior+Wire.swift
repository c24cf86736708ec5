public import Contracts
internal import Domain
internal import Protobuf

extension Behavior {
    /// Reads a behaviour; what is not set has its default.
    ///
    /// - Throws: the first thing in it that makes no sense, with the field's path.
    public init(_ wire: BrokerBehavior) throws(InvalidSetting) {
        try UnknownParts.refuse(in: wire)
        self.init()
        seed = wire.seed
        switch wire.idempotencyMode {
        case .unspecified, .returnOriginal: idempotencyMode = .returnOriginal
        case .rejectDuplicate: idempotencyMode = .rejectDuplicate
        case .echoOnly: idempotencyMode = .echoOnly
        case .none: idempotencyMode = .absent
        case .unrecognized: throw InvalidSetting(path: "idempotency_mode", problem: "is unknown")
        }
        if let window = wire.dedupWindow {
            guard window.isValid else { throw InvalidSetting(path: "dedup_window", problem: "is no length of time") }
            dedupWindow = window.duration
        }
        switch wire.idScope {
        case .unspecified, .account: idScope = .account
        case .day: idScope = .day
        case .week: idScope = .week
        case .unrecognized: throw InvalidSetting(path: "id_scope", problem: "is unknown")
        }
        ignoresChangedRepeats = wire.ignoreChangedRepeats
        if let delay = wire.visibilityDelay {
            guard delay.isValid else { throw InvalidSetting(path: "visibility_delay", problem: "is no length of time") }
            visibilityDelay = delay.duration
        }
        switch wire.fillMode {
        case .unspecified, .marketable: fillMode = .marketable
        case .manual: fillMode = .manual
        case .unrecognized: throw InvalidSetting(path: "fill_mode", problem: "is unknown")
        }
        if let rate = wire.commissionBasisPoints { commissionRate = BasisPoints(rate) }
        hidesDecisions = wire.hideDecisions
        switch wire.sessionMode {
        case .unspecified, .always: sessionMode = .always
        case .core: sessionMode = .core
        case .extended: sessionMode = .extended
        case .unrecognized: throw InvalidSetting(path: "session_mode", problem: "is unknown")
        }
        guard !wire.allowCallerFaults else { throw .notOffered("allow_caller_faults") }
        if let cash = wire.openingCash {
            do {
                openingCash = try Money(cash, field: "opening_cash")
            } catch {
                throw InvalidSetting(path: "opening_cash", problem: "must be US dollars, not below zero")
            }
        }
        checksBuyingPower = wire.checkBuyingPower
        try validate()
    }
}

extension BrokerBehavior {
    init(_ behavior: Behavior) {
        self.init(
            seed: behavior.seed, idempotencyMode: BrokerIdempotencyMode(behavior.idempotencyMode),
            dedupWindow: behavior.dedupWindow.map { Google_Protobuf_Duration($0) },
            idScope: BrokerIdScope(behavior.idScope), ignoreChangedRepeats: behavior.ignoresChangedRepeats,
            visibilityDelay: Google_Protobuf_Duration(behavior.visibilityDelay),
            fillMode: behavior.fillMode == .manual ? .manual : .marketable,
            sessionMode: BrokerSessionMode(rawValue: Int32(behavior.sessionMode.rawValue)),
            commissionBasisPoints: Int32(behavior.commissionRate.rawValue), hideDecisions: behavior.hidesDecisions,
            openingCash: WireMoney(behavior.openingCash), checkBuyingPower: behavior.checksBuyingPower)
    }
}

extension BrokerIdempotencyMode {
    init(_ mode: IdempotencyMode) {
        switch mode {
        case .returnOriginal: self = .returnOriginal
        case .rejectDuplicate: self = .rejectDuplicate
        case .echoOnly: self = .echoOnly
        case .absent: self = .none
        }
    }
}

extension BrokerIdScope {
    init(_ scope: Behavior.IDScope) {
        switch scope {
        case .account: self = .account
        case .day: self = .day
        case .week: self = .week
        }
    }
}
