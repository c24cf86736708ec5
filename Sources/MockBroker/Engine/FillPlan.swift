package import Domain

/// The fills that an order will get by itself, earliest first. Fixed when the order is accepted or touched by the
/// price, and part of the record, so that later changes of behaviour or price do not alter it.
package struct FillPlan: Hashable, Sendable {
    package struct Part: Hashable, Sendable {
        /// When the shares change hands.
        package let due: UnixTime
        package let quantity: Quantity

        package init(due: UnixTime, quantity: Quantity) {
            self.due = due
            self.quantity = quantity
        }
    }

    package let price: Price
    package let parts: [Part]

    package init(price: Price, parts: [Part]) {
        self.price = price
        self.parts = parts
    }
}

extension FillPlan {
    /// Splits `quantity` into equal whole shares (the first parts take the remainder) with drawn delays from `start`.
    static func draw(
        _ behavior: Behavior, _ content: OrderContent, order ordinal: Int, quantity: Quantity, price: Price,
        from start: UnixTime
    ) -> FillPlan {
        let shares = quantity.unscaled / Quantity.nanosPerShare
        let count = max(1, min(Int64(behavior.fillParts), shares))
        let delays = (1...Int(count)).map { part in
            Draw(.fillLatency, seed: behavior.seed, subject: content.key, order: ordinal, ordinal: part)
                .duration(behavior.fillLatency)
        }.sorted()
        let (base, remainder) = shares.quotientAndRemainder(dividingBy: count)
        var rest = quantity.unscaled
        let parts = delays.enumerated().map { index, delay in
            let isLast = index == delays.count - 1
            let nanos = isLast ? rest : (base + (index < remainder ? 1 : 0)) * Quantity.nanosPerShare
            rest -= nanos
            return Part(due: start + delay, quantity: Quantity(unscaled: nanos))
        }
        return FillPlan(price: price, parts: parts)
    }
}
