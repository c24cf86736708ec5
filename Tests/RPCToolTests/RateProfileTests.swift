import Testing

@testable import RPCTool

@Suite struct RateProfileTests {
    private static let profiles: [(RateProfile, count: Int)] = [
        (.constant(100, for: .seconds(10)), 1000), (.constant(0.5, for: .seconds(4)), 2),
        (.ramp(from: 100, to: 300, for: .seconds(10)), 2000), (.ramp(from: 300, to: 100, for: .seconds(10)), 2000),
        (.steps([100, 200, 400], for: .seconds(30)), 7000), (.constant(1_000_000, for: .seconds(1)), 1_000_000),
    ]

    @Test(arguments: profiles.indices) func callsAreDueInOrderAndFillTheTime(_ index: Int) {
        let (profile, count) = Self.profiles[index]
        #expect(profile.count == count)
        #expect(profile.offset(of: 0) == .zero)
        var last = Duration.zero
        for number in stride(from: 0, through: count, by: max(1, count / 1000)) {
            let offset = profile.offset(of: number)
            #expect(offset >= last)
            last = offset
        }
        let end = profile.offset(of: count)
        #expect(end > profile.duration - .milliseconds(1) && end < profile.duration + .milliseconds(1), "\(end)")
    }

    @Test(arguments: [
        (RateProfile.constant(100, for: .seconds(10)), 1, Duration.milliseconds(10)),
        (.steps([100, 200], for: .seconds(10)), 500, .seconds(5)),
        (.steps([100, 200], for: .seconds(10)), 700, .seconds(6)),
        // In the first half the mean rate is 150, or 250 where it shrinks.
        (.ramp(from: 100, to: 300, for: .seconds(10)), 750, .seconds(5)),
        (.ramp(from: 300, to: 100, for: .seconds(10)), 1250, .seconds(5)),
    ])
    func aCallIsDue(_ profile: RateProfile, _ index: Int, _ expected: Duration) {
        let error = profile.offset(of: index) - expected
        #expect(error > .microseconds(-1) && error < .microseconds(1), "\(profile.offset(of: index))")
    }
}
