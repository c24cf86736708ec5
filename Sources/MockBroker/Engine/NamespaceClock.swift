package import Domain

/// The time of a namespace: the machine's with a lead, or one that stands until it is moved.
package enum NamespaceClock: Hashable, Sendable {
    case running(ahead: Duration)
    case frozen(UnixTime)

    package static let machine = NamespaceClock.running(ahead: .zero)

    package func now(_ machine: UnixTime) -> UnixTime {
        switch self {
        case .running(let ahead): machine + ahead
        case .frozen(let time): time
        }
    }

    /// When the machine's clock shows this time of the namespace; nil while it stands.
    package func machineTime(of time: UnixTime) -> UnixTime? {
        switch self {
        case .running(let ahead): time - ahead
        case .frozen: nil
        }
    }

    /// When to do what falls due at `time`, on the machine's clock: a clock that stands does what is left of its present.
    package func machineDue(_ time: UnixTime) -> UnixTime? {
        switch self {
        case .running: machineTime(of: time)
        case .frozen(let now): time <= now ? UnixTime(nanoseconds: 0) : nil
        }
    }

    /// The clock that shows `time` when the machine's shows `machine`.
    package static func showing(_ time: UnixTime, isFrozen: Bool, machine: UnixTime) -> NamespaceClock {
        isFrozen ? .frozen(time) : .running(ahead: time - machine)
    }

    package var isFrozen: Bool {
        switch self {
        case .frozen: true
        case .running: false
        }
    }
}
