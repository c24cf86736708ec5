import Testing

@testable import RPC

/// When a connection is pinged, left and given up. Times in seconds.
@Suite struct ConnectionLifetimeTests {
    private enum Event {
        case receive
        case calls(Bool)
        case left
        case check(ConnectionLifetime.Action?, next: Int64?)
    }

    private func limits(
        keepalive: Int64? = nil, idle: Int64? = nil, age: Int64? = nil, pingsWithoutCalls: Bool = true
    ) -> ConnectionLifetime.Limits {
        ConnectionLifetime.Limits(
            keepaliveTime: keepalive, keepaliveTimeout: 20, pingsWithoutCalls: pingsWithoutCalls, idle: idle, age: age,
            grace: 30)
    }

    private func play(_ limits: ConnectionLifetime.Limits, _ history: [(Int64, Event)]) {
        var lifetime = ConnectionLifetime(limits, at: 0)
        for (now, event) in history {
            switch event {
            case .receive: lifetime.received(at: now)
            case .calls(let areOpen): lifetime.callsChanged(areOpen: areOpen, at: now)
            case .left: lifetime.left(at: now)
            case .check(let action, let next):
                let due = lifetime.check(at: now)
                #expect(due.action == action && due.next == next, "at \(now): \(due)")
            }
        }
    }

    @Test func nothingIsDueWithoutLimits() {
        play(limits(), [(1_000_000, .check(nil, next: nil))])
    }

    @Test func silenceIsAnsweredByAPingAndThenByTheEnd() {
        play(
            limits(keepalive: 100),
            [
                (50, .check(nil, next: 100)), (60, .receive), (100, .check(nil, next: 160)),
                (160, .check(.ping, next: 180)), (170, .check(nil, next: 180)), (180, .check(.giveUp, next: nil)),
            ])
    }

    @Test func whoAnswersStays() {
        play(
            limits(keepalive: 100),
            [(100, .check(.ping, next: 120)), (110, .receive), (120, .check(nil, next: 210))])
    }

    @Test func aClientPingsOnlyForItsCalls() {
        play(
            limits(keepalive: 100, pingsWithoutCalls: false),
            [
                (100, .check(nil, next: 200)), (150, .calls(true)), (200, .check(.ping, next: 220)),
                (220, .check(.giveUp, next: nil)),
            ])
    }

    @Test func idlenessBeginsWithTheLastCall() {
        play(
            limits(idle: 100),
            [
                (50, .check(nil, next: 100)), (60, .calls(true)), (500, .check(nil, next: 600)), (550, .calls(false)),
                (600, .check(nil, next: 650)), (650, .check(.leave(.idle), next: 680)), (680, .check(.cut, next: nil)),
            ])
    }

    @Test func ageEndsWithGrace() {
        play(
            limits(age: 100),
            [
                (99, .check(nil, next: 100)), (100, .check(.leave(.old), next: 130)), (129, .check(nil, next: 130)),
                (130, .check(.cut, next: nil)),
            ])
    }

    @Test func whatIsLeftForAnotherReasonIsCutAsWell() {
        play(limits(idle: 1000, age: 1000), [(10, .left), (20, .check(nil, next: 40)), (40, .check(.cut, next: nil))])
    }

    @Test(
        arguments: [
            // (seconds, calls, frames sent since) … and which ping is one too many
            ([(0, true, 0), (299, true, 0), (598, true, 0), (897, true, 0)], 3),
            ([(0, true, 0), (300, true, 0), (600, true, 0), (900, true, 0), (1200, true, 0)], nil),
            ([(0, true, 0), (1, true, 1), (2, true, 2), (3, true, 3), (4, true, 4)], nil),
            ([(0, false, 0), (300, false, 0), (600, false, 0), (900, false, 0)], 3),
            ([(0, false, 0), (7200, false, 0), (14_400, false, 0), (21_600, false, 0)], nil),
            ([(0, true, 0), (1, true, 0), (2, true, 0), (3, true, 5), (4, true, 5), (5, true, 5), (6, true, 5)], 6),
        ] as [([(Int64, Bool, Int)], Int?)])
    func pingsWithoutNeedAreCounted(_ pings: [(Int64, Bool, Int)], _ tooMany: Int?) {
        var strikes = PingStrikes(minimumInterval: 300_000_000_000, allowsWithoutCalls: false, strikes: 2)
        let refused = pings.firstIndex { seconds, hasCalls, frames in
            !strikes.received(at: seconds * 1_000_000_000, hasCalls: hasCalls, callFramesSent: frames)
        }
        #expect(refused == tooMany)
    }
}
