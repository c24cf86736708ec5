internal import Contracts
internal import Protobuf

extension VisibilityFault {
    init(_ wire: BrokerVisibilityFault) throws(InvalidSetting) {
        switch wire.fault {
        case .hidden(let wire):
            do { self = .hidden(try LatencyDistribution(wire, mayFreeze: true)) } catch { throw error.within("hidden") }
        case .stale(let wire): self = .stale(try Self.length(wire, "stale"))
        case .forgetClosed(let wire): self = .forgetClosed(try Self.length(wire, "forget_closed"))
        case .wrongPage(.truncated): self = .wrongPage(.truncated)
        case .wrongPage(.repeated): self = .wrongPage(.repeated)
        case .wrongPage(.reordered): self = .wrongPage(.reordered)
        case .wrongPage(.unspecified), .wrongPage(.unrecognized):
            throw InvalidSetting(path: "wrong_page", problem: "is missing")
        case nil: throw InvalidSetting(path: "fault", problem: "is missing")
        }
    }

    /// Longer than any delay may be: brokers forget after weeks.
    private static func length(
        _ wire: Google_Protobuf_Duration, _ path: String
    ) throws(InvalidSetting) -> Duration {
        guard wire.isValid, (.zero...Behavior.longestWindow).contains(wire.duration) else {
            throw InvalidSetting(path: path, problem: "must be zero to a hundred years")
        }
        return wire.duration
    }
}
