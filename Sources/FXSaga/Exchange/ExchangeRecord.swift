internal import Domain

/// One line of an exchange's append-only log.
struct ExchangeLogLine: Hashable, Sendable {
    /// Counts from 1.
    let seq: Int32
    let state: ExchangeState
    let epoch: Int64
    /// The stable code of a refusal.
    let reason: ReasonCode?
    /// The evidence, for people.
    let detail: String
    /// Microseconds since 1970, by the database's clock.
    let at: Int64
}

/// Where a log ends.
struct LogPosition: Hashable, Sendable {
    var seq: Int32
    var state: ExchangeState

    /// Where it ends after `states`.
    mutating func advance(through states: [ExchangeState]) {
        seq += Int32(states.count)
        if let last = states.last { state = last }
    }
}

/// An exchange as it is stored: snapshot and log.
struct ExchangeRecord: Hashable, Sendable {
    let snapshot: ExchangeSnapshot
    /// Oldest first, never empty.
    let log: [ExchangeLogLine]
    /// Looks since the state was entered or re-driven.
    let checks: Int

    var state: ExchangeState { position.state }
    var position: LogPosition { LogPosition(seq: log[log.count - 1].seq, state: log[log.count - 1].state) }

    /// Why it failed or was cancelled: the last refusal in the log.
    var reason: ReasonCode? {
        switch state {
        case .failed, .cancelRequested, .cancelled: log.last { $0.reason != nil }?.reason
        case .requested, .withdrawRequested, .withdrawSucceeded, .withdrawRefused, .withdrawUnknown, .depositRequested,
            .depositSucceeded, .depositRefused, .depositUnknown, .completed, .parked:
            nil
        }
    }

    /// Whether waiting for it is over: it has ended, or only a person moves it on.
    var isSettled: Bool { state.isTerminal || state == .parked }

    /// The pure saga at this point.
    func saga() throws(IllegalExchangeLog) -> ExchangeSaga {
        try ExchangeSaga(id: snapshot.id, log: log.map(\.state), checks: checks)
    }
}
