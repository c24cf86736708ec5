internal import Contracts

extension CapacityFault {
    init(_ wire: BrokerCapacityFault) throws(InvalidSetting) {
        typealias Reader = SettingReader
        switch wire.fault {
        case .tokenBucket(let wire):
            self = .tokenBucket(
                perSecond: try Reader.number(wire.perSecond, in: 0.000_001...1_000_000, "token_bucket.per_second"),
                burst: Int(try Reader.number(wire.burst, in: 1...1_000_000, "token_bucket.burst")))
        case .concurrency(let wire):
            self = .concurrency(
                limit: Int(try Reader.number(wire.limit, in: 1...100_000, "concurrency.limit")),
                queue: Int(try Reader.number(wire.queue, in: 0...100_000, "concurrency.queue")))
        case .brownOut(let wire):
            let wait = try Reader.requiredMicroseconds(wire.perRequest, "brown_out.per_request", atLeast: 1)
            self = .brownOut(
                perRequest: .microseconds(wait),
                free: Int(try Reader.number(wire.free, in: 0...Int32.max, "brown_out.free")))
        case nil: throw InvalidSetting(path: "fault", problem: "is missing")
        }
    }
}
