/// Durations as whole numbers of a unit, held at the ends of 64 bits: for clocks, servers and wire formats.
extension Duration {
    /// Rounded up: a wait is never shorter than was asked for.
    package var wholeNanoseconds: Int64 {
        let rest = components.attoseconds % 1_000_000_000
        return whole(perSecond: 1_000_000_000).addingSaturated(rest > 0 ? 1 : 0)
    }

    /// Toward zero.
    package var wholeMicroseconds: Int64 { whole(perSecond: 1_000_000) }

    /// Toward zero.
    package var wholeMilliseconds: Int64 { whole(perSecond: 1_000) }

    private func whole(perSecond: Int64) -> Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: perSecond)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return scaled.addingSaturated(attoseconds / (1_000_000_000_000_000_000 / perSecond))
    }
}
