package import Domain

/// How an order will fill once it can: what a `FillScript` came to when it was drawn for this order.
package struct FillTemplate: Hashable, Sendable {
    package struct Part: Hashable, Sendable {
        package enum Size: Hashable, Sendable {
            /// A share of the quantity in proportion to this number.
            case weight(Int64)
            /// So much, if there is so much.
            case exactly(Quantity)
            /// All that is left.
            case rest
        }

        /// From the start, in microseconds.
        package var delay: Int64
        package var size = Size.weight(1)
        /// Nil means the current price with the offset.
        package var price: Price?
        package var aftermath = FillAftermath()

        package init(delay: Int64) { self.delay = delay }
    }

    /// By how much a fill turns out to be wrong.
    package struct Correction: Hashable, Sendable {
        package var priceOffset = Price.zero
        package var quantityOffset = Quantity.zero

        package init() {}
    }

    /// None means that it never fills by itself.
    package var parts: [Part]
    package var comesBeforeAcknowledgement = false
    package var goesOnAfterCancel = false
    package var overfill = Quantity.zero
    package var priceOffset = Price.zero
    /// What reports say the currency of commissions is; empty means US dollars.
    package var commissionCurrency = ""
    package var correction = Correction()

    /// Most parts of an order.
    package static let maximumParts = 1000
    /// Random sizes are drawn from 1 up to this.
    static let greatestWeight: Int64 = 1000

    /// All of it, at once.
    package static let usual = FillTemplate(parts: [Part(delay: 0)])

    package init(parts: [Part]) { self.parts = parts }

    init(_ script: FillScript, values: [Int64]) {
        var values = values[...]
        func next() -> Int64 { values.popFirst() ?? 0 }
        func delay() -> Int64 { min(max(0, next()), LatencyDistribution.maximum) }
        switch script.shape {
        case .never: parts = []
        case .split(let count, let isRandom, let spacing):
            if let spacing {
                let first = script.latency == nil ? 0 : delay()
                parts = (0..<count).map { Part(delay: first + Int64($0) * spacing) }
            } else {
                parts = (0..<count).map { _ in Part(delay: script.latency == nil ? 0 : delay()) }
            }
            if isRandom {
                for index in parts.indices {
                    parts[index].size = .weight(min(max(1, next()), Self.greatestWeight))
                }
            }
            // Sizes do not follow the delays around: the first fill has the first size.
            let delays = parts.map(\.delay).sorted()
            for index in parts.indices { parts[index].delay = delays[index] }
        case .steps(let steps):
            var time: Int64 = 0
            parts = steps.map { step in
                time += step.delay
                var part = Part(delay: time)
                part.size = step.quantity.map { .exactly($0) } ?? .rest
                part.price = step.price
                return part
            }
        }
        for (latency, path) in [
            (script.commissionAfter, \FillAftermath.commission), (script.bustAfter, \.bust),
            (script.correction?.after, \.correction),
        ] where latency != nil {
            for index in parts.indices { parts[index].aftermath[keyPath: path] = delay() }
        }
        comesBeforeAcknowledgement = script.comesBeforeAcknowledgement
        goesOnAfterCancel = script.goesOnAfterCancel
        overfill = script.overfill
        priceOffset = script.priceOffset
        commissionCurrency = script.commissionCurrency
        correction = script.correction?.change ?? Correction()
    }

    var isEmpty: Bool { parts.isEmpty }

    /// The same for an order that never fills by itself.
    var never: FillTemplate {
        var template = self
        template.parts = []
        return template
    }

    /// The same without any delay before a fill.
    var atOnce: FillTemplate {
        var template = self
        for index in template.parts.indices { template.parts[index].delay = 0 }
        return template
    }

    /// The same in one part, for orders that fill whole or not at all; none when the parts leave something.
    func whole(_ quantity: Quantity) -> FillTemplate {
        var template = self
        let fillsAll = !isEmpty && shares(of: quantity).reduce(0) { $0 + $1.nanos } == quantity.unscaled
        template.parts = fillsAll ? Array(parts.prefix(1)) : []
        for index in template.parts.indices { template.parts[index].size = .rest }
        return template
    }

    /// The most shares that an order can come to beyond its quantity.
    var excess: Quantity {
        let corrected = Int64(parts.count).multipliedReportingOverflow(by: max(0, correction.quantityOffset.unscaled))
        let sum = corrected.partialValue.addingReportingOverflow(overfill.unscaled)
        return Quantity(unscaled: corrected.overflow || sum.overflow ? .max : sum.partialValue)
    }

    /// Which part gets how much of `quantity`, in whole shares; those that get nothing are left out.
    private func shares(of quantity: Quantity) -> [(part: Part, nanos: Int64)] {
        var left = quantity.unscaled
        var result: [(part: Part, nanos: Int64)] = []
        let shares = left / Quantity.nanosPerShare
        let counted = parts.prefix(max(1, Int(clamping: shares)))
        let weights = counted.map { part in if case .weight(let weight) = part.size { weight } else { 0 as Int64 } }
        var weightLeft = weights.reduce(0, +)
        let isEven = Set(weights).count == 1
        for (index, part) in counted.enumerated() where left > 0 {
            let nanos: Int64
            switch part.size {
            case .exactly(let wanted): nanos = min(wanted.unscaled, left)
            case .rest: nanos = left
            case .weight(let weight):
                let sharesLeft = left / Quantity.nanosPerShare
                let exact = Int128(sharesLeft) * Int128(weight)
                // Equal parts: the first ones take the remainder. Others: at least a share for each that follows.
                let count =
                    isEven
                    ? Int64((exact + Int128(weightLeft) - 1) / Int128(weightLeft))
                    : min(
                        max(1, Int64(exact / Int128(weightLeft))),
                        max(1, sharesLeft - Int64(counted.count - 1 - index)))
                nanos = index == counted.count - 1 ? left : min(left, count * Quantity.nanosPerShare)
                weightLeft -= weight
            }
            left -= nanos
            result.append((part, nanos))
        }
        return result
    }

    /// How much a part of the plan fills when the order has room for so much: what is filled too much comes with the
    /// fill that the order is done with.
    func quantity(of part: FillPlan.Part, room: Quantity) -> Quantity {
        part.quantity < room ? part.quantity : Quantity(unscaled: room.unscaled + overfill.unscaled)
    }

    /// The fills of `quantity` that begin at `start`.
    func plan(_ quantity: Quantity, price: Price, from start: UnixTime) -> FillPlan? {
        guard !isEmpty else { return nil }
        let shares = shares(of: quantity)
        let usualPrice = price.moved(by: priceOffset)
        let parts = shares.map { share in
            FillPlan.Part(
                due: start + .microseconds(share.part.delay), quantity: Quantity(unscaled: share.nanos),
                price: share.part.price ?? usualPrice, aftermath: share.part.aftermath)
        }
        return parts.isEmpty ? nil : FillPlan(parts: parts)
    }
}

extension Price {
    /// The price with `offset` added, held within what this broker trades at.
    func moved(by offset: Price) -> Price {
        Price(unscaled: min(max(1, unscaled + offset.unscaled), BookRules.maximumPriceDollars * 10_000))
    }
}
