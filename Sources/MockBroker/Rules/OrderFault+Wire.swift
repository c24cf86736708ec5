internal import Contracts
internal import Domain

extension OrderFault {
    /// Reads a fault; refusals name the field within it.
    init(_ wire: BrokerOrderFault) throws(InvalidSetting) {
        switch wire.fault {
        case .refuse(let wire):
            guard (1...64).contains(wire.reason.utf8.count) else {
                throw InvalidSetting(path: "refuse.reason", problem: "must be 1 to 64 bytes")
            }
            self = .refuse(
                reason: ReasonCode(rawValue: wire.reason),
                text: try SettingReader.text(wire.text, upTo: 256, "refuse.text"))
        case .slow(let wire): self = .slow(try .required(wire.latency, "slow.latency"))
        case .rejectLater(let wire):
            self = .rejectLater(
                try .required(wire.after, "reject_later.after"),
                text: try SettingReader.text(wire.text, upTo: 256, "reject_later.text"))
        case .neverAcknowledge: self = .neverAcknowledge
        case .acknowledgeTwice: self = .acknowledgeTwice
        case .unsolicitedCancel(let wire):
            self = .unsolicitedCancel(
                try .required(wire.after, "unsolicited_cancel.after"),
                text: try SettingReader.text(wire.text, upTo: 256, "unsolicited_cancel.text"))
        case .suspend(let wire):
            self = .suspend(
                try .required(wire.after, "suspend.after"), length: try .optional(wire.length, "suspend.length"))
        case .restate(let wire):
            self = .restate(
                try .required(wire.after, "restate.after"),
                text: try SettingReader.text(wire.text, upTo: 256, "restate.text"))
        case .newOrderID: self = .newOrderID
        case nil: throw InvalidSetting(path: "fault", problem: "is missing")
        }
    }
}
