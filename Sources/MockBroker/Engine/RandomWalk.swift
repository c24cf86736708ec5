package import Domain
internal import Limits

/// A price that wanders, step by step: a pure function of seed, symbol and step, so that any step can be asked for by
/// itself, and long stretches can be searched without taking each step.
///
/// It is a sum of levels. Level k runs straight between values that are drawn for every 4^k-th step, within 2^k times the
/// amplitude of level 0: a stretch four times as long wanders twice as far, as a random walk does. The step of level k is
/// at most half of that of the level below, so that all together stay within four times the first amplitude. The highest
/// level is the last one with which the price stays between 10 and 190 percent of its start.
package struct RandomWalk: Hashable, Sendable {
    package let symbol: InstrumentID
    package let start: Price
    package let origin: UnixTime
    /// A millisecond to a day.
    package let interval: Duration
    /// Largest step, in hundredths of a percent of the start.
    package let stepBasisPoints: Int64
    package let seed: Int64

    /// Amplitude of level 0 in 2^-40 of the start.
    private let amplitude: Int64
    private let highestLevel: Int
    private let hash: StableHash
    /// The sum of all levels at step 0.
    private let offset: Int64

    private static let one: Int64 = 1 << 40

    package init(
        symbol: InstrumentID, start: Price, origin: UnixTime, interval: Duration, stepBasisPoints: Int64, seed: Int64
    ) {
        self.symbol = symbol
        self.start = start
        self.origin = origin
        self.interval = interval
        self.stepBasisPoints = stepBasisPoints
        self.seed = seed
        let amplitude = Self.one * stepBasisPoints / 40_000
        self.amplitude = amplitude
        var level = 0
        while 2 * amplitude * ((2 << (level + 1)) - 1) <= Self.one / 10 * 9 { level += 1 }
        highestLevel = level
        var hash = StableHash()
        hash.combine("price-walk")
        hash.combine(seed)
        hash.combine(symbol.text)
        self.hash = hash
        offset = (0...level).reduce(0) { $0 + Self.value(level: $1, at: 0, amplitude, hash) }
    }

    package static func == (a: RandomWalk, b: RandomWalk) -> Bool {
        a.symbol == b.symbol && a.start == b.start && a.origin == b.origin && a.interval == b.interval
            && a.stepBasisPoints == b.stepBasisPoints && a.seed == b.seed
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(symbol)
        hasher.combine(origin)
        hasher.combine(seed)
    }

    /// The step that the price has taken by `time`; 0 before the origin.
    package func step(at time: UnixTime) -> Int64 {
        max(0, time.nanoseconds - origin.nanoseconds) / interval.wholeNanoseconds
    }

    package func time(of step: Int64) -> UnixTime { origin + .nanoseconds(step * interval.wholeNanoseconds) }

    /// The price after `step` steps.
    package func price(after step: Int64) -> Price {
        price((0...highestLevel).reduce(0) { $0 + Self.value(level: $1, at: step, amplitude, hash) })
    }

    /// Rounded down to the tick; never falls when `sum` rises.
    private func price(_ sum: Int64) -> Price {
        let exact = Int128(start.unscaled) * Int128(Self.one + sum - offset) / Int128(Self.one)
        let fine = Int64(clamping: min(exact, Int128(BookRules.maximumPriceDollars * 10_000)))
        return Price(unscaled: fine >= 10_000 ? fine / 100 * 100 : max(1, fine))
    }

    private static func value(level: Int, at step: Int64, _ amplitude: Int64, _ hash: StableHash) -> Int64 {
        let shift = Int64(2 * level)
        let knot = step >> shift
        let left = drawn(level: level, knot: knot, amplitude, hash)
        let rest = step - (knot << shift)
        guard rest > 0 else { return left }
        let right = drawn(level: level, knot: knot + 1, amplitude, hash)
        return left + Int64(truncatingIfNeeded: (Int128(right - left) * Int128(rest)) >> Int128(shift))
    }

    private static func drawn(level: Int, knot: Int64, _ amplitude: Int64, _ hash: StableHash) -> Int64 {
        var hash = hash
        hash.combine(Int64(level))
        hash.combine(knot)
        let reach = amplitude << Int64(level)
        return Int64(hash.bits.multipliedFullWidth(by: UInt64(2 * reach + 1)).high) - reach
    }

    // MARK: Searching

    /// The first step in `steps` whose price `isWanted`, which must hold for all lower prices of one that it holds for
    /// (`wantsLow`), or for all higher ones.
    ///
    /// Stretches in which no level can reach that far are passed over at once.
    ///
    /// - Parameter budget: stretches to look at; when it is used up, the answer is where to go on.
    package func search(
        _ steps: Range<Int64>, wantsLow: Bool, budget: Int, _ isWanted: (Price) -> Bool
    ) -> StepSearch {
        let reach = amplitude * ((2 << Int64(highestLevel)) - 1)
        guard isWanted(price(wantsLow ? -reach : reach)) else { return .nothing }
        var search = Search(walk: self, steps: steps, wantsLow: wantsLow, budget: budget)
        let shift = Int64(2 * highestLevel)
        var block = steps.lowerBound >> shift
        while (block << shift) < steps.upperBound {
            if let found = search.look(highestLevel, block, isWanted) { return found }
            block += 1
        }
        return .nothing
    }

    private struct Search {
        let walk: RandomWalk
        let steps: Range<Int64>
        let wantsLow: Bool
        var budget: Int

        /// Nil when there is nothing in the stretch of this level.
        mutating func look(_ level: Int, _ block: Int64, _ isWanted: (Price) -> Bool) -> StepSearch? {
            let shift = Int64(2 * level)
            let first = block << shift
            guard first < steps.upperBound, (block + 1) << shift > steps.lowerBound else { return nil }
            guard budget > 0 else { return .undecided(from: max(first, steps.lowerBound)) }
            budget -= 1
            if level == 0 { return isWanted(walk.price(after: first)) ? .found(first) : nil }
            // Levels from this one on run straight between the ends; those below reach at most so far around that, and
            // each level is rounded once.
            let ends = [first, (block + 1) << shift].map { end in
                (level...walk.highestLevel).reduce(0) {
                    $0 + RandomWalk.value(level: $1, at: end, walk.amplitude, walk.hash)
                }
            }
            let reach = walk.amplitude * ((1 << Int64(level)) - 1) + Int64(walk.highestLevel) + 1
            let extreme = wantsLow ? min(ends[0], ends[1]) - reach : max(ends[0], ends[1]) + reach
            guard isWanted(walk.price(extreme)) else { return nil }
            for child in block * 4..<block * 4 + 4 {
                if let found = look(level - 1, child, isWanted) { return found }
            }
            return nil
        }
    }
}

/// What a search of a walk came to.
package enum StepSearch: Hashable, Sendable {
    case found(Int64)
    case nothing
    /// Nothing before this step.
    case undecided(from: Int64)
}
