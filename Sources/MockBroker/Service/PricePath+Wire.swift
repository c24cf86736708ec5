internal import Contracts
internal import Domain
internal import Protobuf

extension PricePath {
    /// What a test wants of a symbol's price.
    enum Wish {
        case constant(Price)
        case replayed([PricePoint])
        case walk(start: Price, interval: Duration, stepBasisPoints: Int64)

        /// Refusals name the field within the path.
        init(_ wire: BrokerPricePath) throws(InvalidSetting) {
            switch wire.path {
            case .constant(let wire): self = .constant(try Self.price(wire.price, "constant.price"))
            case .replayed(let wire):
                guard (1...PricePath.pointLimit).contains(wire.points.count) else {
                    throw InvalidSetting(path: "replayed.points", problem: "must be 1 to \(PricePath.pointLimit)")
                }
                var points: [PricePoint] = []
                for (index, wire) in wire.points.enumerated() {
                    let path = "replayed.points[\(index)]"
                    guard let time = try SettingReader.time(wire.time, "\(path).time") else {
                        throw InvalidSetting(path: "\(path).time", problem: "is missing")
                    }
                    points.append(PricePoint(time: time, price: try Self.price(wire.price, "\(path).price")))
                }
                if let problem = PricePath.problem(points) { throw problem.within("replayed") }
                self = .replayed(points)
            case .randomWalk(let wire):
                self = .walk(
                    start: try Self.price(wire.start, "random_walk.start"),
                    interval: .microseconds(
                        try SettingReader.number(
                            try SettingReader.requiredMicroseconds(wire.interval, "random_walk.interval"),
                            in: 1000...LatencyDistribution.maximum, "random_walk.interval")),
                    stepBasisPoints: Int64(
                        try SettingReader.number(wire.stepBasisPoints, in: 1...1000, "random_walk.step_basis_points")))
            case nil: throw InvalidSetting(path: "path", problem: "is missing")
            }
        }

        private static func price(_ wire: WireDecimal?, _ path: String) throws(InvalidSetting) -> Price {
            guard let wire, let price = try? Price(wire, field: path), PricePath.isInRange(price) else {
                throw InvalidSetting(
                    path: path, problem: "must be above zero, at most \(BookRules.maximumPriceDollars) dollars")
            }
            return price
        }
    }

    static func isInRange(_ price: Price) -> Bool {
        price.isPositive && price.unscaled <= BookRules.maximumPriceDollars * 10_000
    }

    /// What is wrong with a list of points.
    static func problem(_ points: [PricePoint]) -> InvalidSetting? {
        if points.isEmpty || points.count > pointLimit {
            return InvalidSetting(path: "points", problem: "must be 1 to \(pointLimit)")
        }
        for (index, point) in points.enumerated() {
            guard isInRange(point.price) else {
                return InvalidSetting(path: "points[\(index)].price", problem: "is out of range")
            }
            guard index == 0 || points[index - 1].time <= point.time else {
                return InvalidSetting(path: "points[\(index)].time", problem: "must not be before the one before")
            }
        }
        return nil
    }
}

extension BrokerBook {
    /// Decides what a test wants of a price. Changes nothing.
    func setPrice(
        _ symbol: InstrumentID, _ wish: PricePath.Wish, at now: UnixTime
    ) throws(BrokerRefusal) -> [BrokerRecord] {
        switch wish {
        case .constant(let price): return try setPrice(symbol, price, at: now)
        case .replayed(let points):
            return setPath(symbol, .replayed(points, before: price(of: symbol, at: now) ?? points[0].price), at: now)
        case .walk(let start, let interval, let step):
            let walk = RandomWalk(
                symbol: symbol, start: start, origin: now, interval: interval, stepBasisPoints: step,
                seed: behavior.seed)
            return setPath(symbol, .walk(walk), at: now)
        }
    }

    /// Resting orders that the price which these records set touches at once.
    func touched(_ symbol: InstrumentID, by records: [BrokerRecord]) -> [BookOrder] {
        switch records.first {
        case .priceSet(_, let price, _): touched(symbol, at: price)
        case .pathSet(_, let path, let at): touched(symbol, at: path.price(at: at))
        default: []
        }
    }
}
