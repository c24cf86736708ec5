internal import Domain
internal import Limits

extension ByteWriter {
    mutating func append(_ path: PricePath) {
        switch path {
        case .replayed(let points, let before):
            append(0 as UInt8)
            append(before.unscaled)
            append(unsigned: UInt64(points.count))
            for point in points {
                append(point.time.nanoseconds)
                append(point.price.unscaled)
            }
        case .walk(let walk):
            append(1 as UInt8)
            append(walk.start.unscaled)
            append(walk.origin.nanoseconds)
            append(walk.interval.wholeNanoseconds)
            append(walk.stepBasisPoints)
            append(walk.seed)
        }
    }
}

extension ByteReader {
    mutating func path(of symbol: InstrumentID) throws(RecordCodingError) -> PricePath {
        switch try byte() {
        case 0:
            let before = Price(unscaled: try signed())
            let count = try unsigned()
            guard (1...UInt64(PricePath.pointLimit)).contains(count) else { throw .malformed }
            var points: [PricePoint] = []
            for _ in 0..<count {
                points.append(
                    PricePoint(time: UnixTime(nanoseconds: try signed()), price: Price(unscaled: try signed())))
            }
            return .replayed(points, before: before)
        case 1:
            let start = Price(unscaled: try signed())
            let origin = UnixTime(nanoseconds: try signed())
            let interval = Duration.nanoseconds(try signed())
            let step = try signed()
            guard interval >= .milliseconds(1), (1...1000).contains(step) else { throw .malformed }
            return .walk(
                RandomWalk(
                    symbol: symbol, start: start, origin: origin, interval: interval, stepBasisPoints: step,
                    seed: try signed()))
        default: throw .malformed
        }
    }
}
