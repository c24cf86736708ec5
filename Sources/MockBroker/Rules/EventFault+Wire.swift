internal import Contracts
internal import Domain
internal import Protobuf

extension EventFault {
    /// Reads a fault; refusals name the field within it.
    init(_ wire: BrokerEventFault) throws(InvalidSetting) {
        typealias Reader = SettingReader
        switch wire.fault {
        case .duplicate(let wire):
            let spacing = try Reader.microseconds(wire.spacing, "duplicate.spacing") ?? 0
            let kind: CopyKind =
                switch wire.kind {
                case .newExecID: .newExecutionID
                case .otherContent: .otherContent
                case .unspecified, .unrecognized: .same
                }
            self = .duplicate(
                copies: Int(try Reader.number(wire.copies, in: 1...1000, "duplicate.copies")),
                spacing: .microseconds(spacing), kind)
        case .drop(let wire): self = .drop(fromLists: wire.fromLists)
        case .reorder(let wire):
            self = .reorder(window: Int(try Reader.number(wire.window, in: 1...100, "reorder.window")))
        case .batch(let wire): self = .batch(count: Int(try Reader.number(wire.count, in: 2...1000, "batch.count")))
        case .corrupt(let kind):
            switch kind {
            case .garbage: self = .corrupt(.garbage)
            case .truncated: self = .corrupt(.truncated)
            case .unknownField: self = .corrupt(.unknownField)
            case .unknownEnum: self = .corrupt(.unknownEnum)
            case .unspecified, .unrecognized: throw InvalidSetting(path: "corrupt", problem: "is missing")
            }
        case .sequenceGap(let wire):
            self = .sequenceGap(count: Int(try Reader.number(wire.count, in: 1...1000, "sequence_gap.count")))
        case .sequenceReset: self = .sequenceReset
        case .hang(let wire):
            let length = try Reader.microseconds(wire.length, "hang.length", atLeast: 1)
            self = .hang(length.map { .microseconds($0) }, heartbeatsLie: wire.heartbeatsLie)
        case .disconnect: self = .disconnect
        case .cursor(let wire):
            let offBy = Int(try Reader.number(wire.offBy, in: -100...100, "cursor.off_by"))
            guard wire.ignored != (offBy != 0) else {
                throw InvalidSetting(path: "cursor", problem: "must be ignored or off by something, and not both")
            }
            self = .cursor(offBy: wire.ignored ? nil : offBy)
        case .replayFlagMissing: self = .replayFlagMissing
        case nil: throw InvalidSetting(path: "fault", problem: "is missing")
        }
    }

    /// Where it can strike.
    var places: Set<InjectionPoint> {
        switch self {
        case .disconnect, .hang: [.beforeEvent, .afterEvent]
        case .cursor: [.beforeRead]
        case .duplicate, .drop, .reorder, .batch, .corrupt, .sequenceGap, .sequenceReset, .replayFlagMissing:
            [.beforeEvent]
        }
    }

    var usualPlace: InjectionPoint { places.contains(.beforeRead) ? .beforeRead : .beforeEvent }
}
