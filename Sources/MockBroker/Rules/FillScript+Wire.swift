internal import Contracts
internal import Domain
internal import Protobuf

extension FillScript {
    /// Reads a script; refusals name the field within it.
    init(_ wire: BrokerFillScript) throws(InvalidSetting) {
        switch wire.shape {
        case .never: shape = .never
        case .split(let wire):
            let parts = Int(try SettingReader.number(wire.parts, in: 1...1000, "split.parts"))
            shape = .split(
                parts: parts, isRandom: wire.random,
                spacing: try SettingReader.microseconds(wire.spacing, "split.spacing"))
        case .steps(let wire): shape = .steps(try Self.steps(wire.steps))
        case nil: shape = .split(parts: 1, isRandom: false, spacing: nil)
        }
        latency = try .optional(wire.latency, "latency")
        if latency != nil {
            switch shape {
            case .split: break
            case .never, .steps: throw InvalidSetting(path: "latency", problem: "belongs to a split only")
            }
        }
        comesBeforeAcknowledgement = wire.beforeAcknowledgement
        goesOnAfterCancel = wire.afterCancel
        if let quantity = wire.overfillQty {
            overfill = try Self.shares(quantity, in: 1...BookRules.maximumShares, "overfill_qty")
        }
        if let offset = wire.priceOffset { priceOffset = try Self.offset(offset, "price_offset") }
        commissionAfter = try .optional(wire.commissionAfter, "commission_after")
        let isCode =
            wire.commissionCurrency.utf8.count == 3
            && wire.commissionCurrency.utf8.allSatisfy {
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
            }
        guard isCode || wire.commissionCurrency.isEmpty else {
            throw InvalidSetting(path: "commission_currency", problem: "must be three of A-Z")
        }
        commissionCurrency = wire.commissionCurrency
        bustAfter = try .optional(wire.bustAfter, "bust_after")
        if let wire = wire.correct {
            do { correction = try Correction(wire) } catch { throw error.within("correct") }
        }
    }

    private static func steps(_ wire: [BrokerFillStep]) throws(InvalidSetting) -> [Step] {
        guard (1...100).contains(wire.count) else {
            throw InvalidSetting(path: "steps.steps", problem: "must be 1 to 100")
        }
        var steps: [Step] = []
        for (index, step) in wire.enumerated() {
            let path = "steps.steps[\(index)]"
            var quantity: Quantity?
            if let qty = step.qty { quantity = try shares(qty, in: 1...BookRules.maximumShares, "\(path).qty") }
            var price: Price?
            if let wire = step.price {
                let value = try offset(wire, "\(path).price")
                guard value.isPositive else {
                    throw InvalidSetting(path: "\(path).price", problem: "must be above zero")
                }
                price = value
            }
            steps.append(
                Step(
                    delay: try SettingReader.microseconds(step.delay, "\(path).delay") ?? 0, quantity: quantity,
                    price: price))
        }
        return steps
    }

    fileprivate static func shares(
        _ wire: WireDecimal, in range: ClosedRange<Int64>, _ path: String
    ) throws(InvalidSetting) -> Quantity {
        guard let value = try? Quantity(wire, field: path), value.unscaled % Quantity.nanosPerShare == 0,
            range.contains(value.unscaled / Quantity.nanosPerShare)
        else {
            throw InvalidSetting(
                path: path, problem: "must be whole shares, \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    fileprivate static func offset(_ wire: WireDecimal, _ path: String) throws(InvalidSetting) -> Price {
        let limit = BookRules.maximumPriceDollars * 10_000
        guard let value = try? Price(wire, field: path), (-limit...limit).contains(value.unscaled) else {
            throw InvalidSetting(
                path: path, problem: "must have four decimals and be within \(BookRules.maximumPriceDollars) dollars")
        }
        return value
    }
}

extension FillScript.Correction {
    fileprivate init(_ wire: BrokerCorrection) throws(InvalidSetting) {
        var change = FillTemplate.Correction()
        if let offset = wire.priceOffset { change.priceOffset = try FillScript.offset(offset, "price_offset") }
        if let offset = wire.qtyOffset {
            change.quantityOffset = try FillScript.shares(
                offset, in: -BookRules.maximumShares...BookRules.maximumShares, "qty_offset")
        }
        guard !change.priceOffset.isZero || !change.quantityOffset.isZero else {
            throw InvalidSetting(path: "price_offset", problem: "or qty_offset must be other than zero")
        }
        self.init(after: try .required(wire.after, "after"), change: change)
    }
}
