public import Domain
public import Protobuf
internal import RPCCore

extension WireMoney {
    public init(_ money: Money) { self.init(currency: money.currency.code, minor: money.minorUnits) }
}

extension Money {
    /// - Throws: `Refusal` CURRENCY_UNKNOWN when no books are kept in the currency.
    public init(_ wire: WireMoney, field: String) throws(Refusal) {
        guard let currency = Currency(code: wire.currency) else {
            throw Refusal(
                .invalidArgument, "CURRENCY_UNKNOWN", "\(field): no books are kept in this currency",
                context: ["field": field, "currency": String(wire.currency.prefix(8))])
        }
        self.init(minorUnits: wire.minor, currency: currency)
    }
}

extension WireDecimal {
    /// The number at the scale of its type.
    public init(_ number: some FixedPoint) {
        self.init(unscaled: number.unscaled, scale: Int32(type(of: number).scale))
    }
}

extension FixedPoint {
    /// - Throws: `Refusal` DECIMAL_OUT_OF_RANGE when the number does not fit this type exactly.
    public init(_ wire: WireDecimal, field: String) throws(Refusal) {
        do {
            try self.init(unscaled: wire.unscaled, scale: Int(wire.scale))
        } catch {
            throw Refusal(
                .invalidArgument, "DECIMAL_OUT_OF_RANGE", "\(field): \(error)",
                context: ["field": field, "unscaled": "\(wire.unscaled)", "scale": "\(wire.scale)"])
        }
    }
}

extension WireFxRate {
    /// - Parameter date: of the rate at its source, YYYY-MM-DD.
    public init(_ rate: FXRate, id: String, date: String) {
        self.init(
            base: rate.base.code, quote: rate.quote.code,
            rate: WireDecimal(unscaled: rate.mantissa, scale: Int32(rate.scale)), rateID: id, asOf: date)
    }
}

extension Google_Protobuf_Timestamp {
    public init(_ time: UnixTime) { self.init(seconds: time.seconds, nanos: time.nanos) }
}

extension UnixTime {
    /// Nil when the timestamp is outside the years that fit 64 bits of nanoseconds.
    public init?(_ timestamp: Google_Protobuf_Timestamp) {
        self.init(seconds: timestamp.seconds, nanos: timestamp.nanos)
    }
}
