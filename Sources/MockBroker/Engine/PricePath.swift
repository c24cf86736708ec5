public import Domain

/// A price from a time on.
public struct PricePoint: Hashable, Sendable {
    public let time: UnixTime
    /// In US dollars.
    public let price: Price

    public init(time: UnixTime, price: Price) {
        self.time = time
        self.price = price
    }
}

/// How the price of a symbol moves by itself: a pure function of time, so that it moves whether anybody looks or not.
package enum PricePath: Hashable, Sendable {
    /// As written, in order of time, at least one; before the first point the price is `before`.
    case replayed([PricePoint], before: Price)
    case walk(RandomWalk)

    /// Longest list of points.
    package static let pointLimit = 100_000
    /// Points, or stretches of a walk, that one search looks at.
    private static let searchBudget = 1024

    package func price(at time: UnixTime) -> Price {
        switch self {
        case .replayed(let points, let before):
            let next = Self.next(points, after: time)
            return next == 0 ? before : points[next - 1].price
        case .walk(let walk): return walk.price(after: walk.step(at: time))
        }
    }

    /// What a search came to.
    package enum Touch: Hashable, Sendable {
        case found(UnixTime)
        /// None in the whole range.
        case nothing
        /// None before this time; ask again from there.
        case undecided(UnixTime)
    }

    /// When an order of this content can trade for the first time in `range`, as far as the price goes.
    package func firstTouch(of content: OrderContent, in range: Range<UnixTime>) -> Touch {
        if content.isMarketable(at: price(at: range.lowerBound)) { return .found(range.lowerBound) }
        switch self {
        case .replayed(let points, _):
            let first = Self.next(points, after: range.lowerBound)
            for point in points[first...].prefix(Self.searchBudget) {
                guard point.time < range.upperBound else { return .nothing }
                if content.isMarketable(at: point.price) { return .found(point.time) }
            }
            let end = first + Self.searchBudget
            return end < points.count ? .undecided(points[end].time) : .nothing
        case .walk(let walk):
            let first = range.lowerBound < walk.origin ? 0 : walk.step(at: range.lowerBound) + 1
            let last = walk.step(at: range.upperBound + .nanoseconds(-1))
            guard first <= last else { return .nothing }
            let found = walk.search(first..<last + 1, wantsLow: content.side == .buy, budget: Self.searchBudget) {
                content.isMarketable(at: $0)
            }
            switch found {
            case .found(let step): return .found(walk.time(of: step))
            case .nothing: return .nothing
            case .undecided(let step): return .undecided(walk.time(of: step))
            }
        }
    }

    /// The same way for a new book: a walk begins there, with its seed.
    func restarted(seed: Int64, at now: UnixTime) -> PricePath {
        switch self {
        case .replayed: self
        case .walk(let walk):
            .walk(
                RandomWalk(
                    symbol: walk.symbol, start: walk.start, origin: now, interval: walk.interval,
                    stepBasisPoints: walk.stepBasisPoints, seed: seed))
        }
    }

    /// The index of the first point after `time`.
    private static func next(_ points: [PricePoint], after time: UnixTime) -> Int {
        var low = 0
        var high = points.count
        while low < high {
            let middle = (low + high) / 2
            if points[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
