package import Domain

/// The fills that an order will get by itself, earliest first. Fixed when the order is accepted or touched by the
/// price, and part of the record, so that later changes of rules or price do not alter it.
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

/// How an order will fill once it can: what a `FillScript` came to when it was drawn for this order.
package struct FillTemplate: Hashable, Sendable {
    /// From the start to each part, in microseconds; none means that it never fills by itself.
    package var delays: [Int64]

    /// Most parts of an order.
    package static let maximumParts = 1000

    /// All of it, at once.
    package static let usual = FillTemplate(delays: [0])

    package init(delays: [Int64]) { self.delays = delays }

    init(_ script: FillScript, values: [Int64]) {
        switch script.shape {
        case .never: delays = []
        case .split(let parts): delays = values.isEmpty ? Array(repeating: 0, count: parts) : values
        }
    }

    var isEmpty: Bool { delays.isEmpty }

    /// The same in one part, for orders that fill whole or not at all.
    var whole: FillTemplate { FillTemplate(delays: Array(delays.prefix(1))) }

    /// Splits `quantity` into equal whole shares (the first parts take the remainder).
    func plan(_ quantity: Quantity, price: Price, from start: UnixTime) -> FillPlan? {
        guard !isEmpty else { return nil }
        let shares = quantity.unscaled / Quantity.nanosPerShare
        let count = max(1, min(delays.count, Int(clamping: shares)))
        let sorted = delays.prefix(count).sorted()
        let (base, remainder) = shares.quotientAndRemainder(dividingBy: Int64(count))
        var rest = quantity.unscaled
        let parts = sorted.enumerated().map { index, delay in
            let isLast = index == count - 1
            let nanos = isLast ? rest : (base + (index < remainder ? 1 : 0)) * Quantity.nanosPerShare
            rest -= nanos
            return FillPlan.Part(due: start + .microseconds(delay), quantity: Quantity(unscaled: nanos))
        }
        return FillPlan(price: price, parts: parts)
    }
}
