package import Domain

/// When and how an order fills.
package struct FillScript: Hashable, Sendable {
    package enum Shape: Hashable, Sendable {
        case never
        /// In parts, or one per share if that is fewer. With a spacing only the first one has the drawn latency.
        case split(parts: Int, isRandom: Bool, spacing: Int64?)
        /// As written; what they leave is not filled.
        case steps([Step])
    }

    package struct Step: Hashable, Sendable {
        /// After the step before it.
        package let delay: Int64
        /// Nil means all that is left.
        package let quantity: Quantity?
        /// Nil means the current price with the offset.
        package let price: Price?
    }

    package struct Correction: Hashable, Sendable {
        let after: LatencyDistribution
        let change: FillTemplate.Correction
    }

    package var shape: Shape
    /// From the acceptance (or the price's touch) to each fill.
    package var latency: LatencyDistribution?
    package var comesBeforeAcknowledgement = false
    package var goesOnAfterCancel = false
    /// Above the order's quantity, with the last fill.
    package var overfill = Quantity.zero
    package var priceOffset = Price.zero
    package var commissionAfter: LatencyDistribution?
    /// Empty means US dollars.
    package var commissionCurrency = ""
    package var bustAfter: LatencyDistribution?
    package var correction: Correction?

    /// The usual one: all of it, at once.
    package static let usual = FillScript(shape: .split(parts: 1, isRandom: false, spacing: nil), latency: nil)

    /// How many fills there are at most.
    var count: Int {
        switch shape {
        case .never: 0
        case .split(let parts, _, _): parts
        case .steps(let steps): steps.count
        }
    }

    /// The delays of all parts, whether the order has so many shares or not (none where nothing is drawn), then their
    /// sizes when they are random, then for each part what comes after it: commission, bust, correction.
    func draw(_ draw: inout Draw, _ occasion: Occasion) -> [Int64] {
        var values: [Int64] = []
        func add(_ latency: LatencyDistribution?, times: Int) {
            guard let latency else { return }
            for _ in 0..<times { values.append(latency.draw(&draw, attempt: occasion.attempt, at: occasion.now)) }
        }
        if case .split(let parts, let isRandom, let spacing) = shape {
            add(latency, times: spacing == nil ? parts : 1)
            if isRandom { for _ in 0..<parts { values.append(draw.within(1...FillTemplate.greatestWeight)) } }
        }
        add(commissionAfter, times: count)
        add(bustAfter, times: count)
        add(correction?.after, times: count)
        return values
    }
}
