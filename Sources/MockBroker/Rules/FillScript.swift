/// When and how an order fills.
package struct FillScript: Hashable, Sendable {
    package enum Shape: Hashable, Sendable {
        case never
        /// In equal parts, or one per share if that is fewer.
        case split(parts: Int)
    }

    package var shape: Shape
    /// From the acceptance (or the price's touch) to each fill.
    package var latency: LatencyDistribution?

    /// The usual one: all of it, at once.
    package static let usual = FillScript(shape: .split(parts: 1), latency: nil)

    /// One delay for each part, whether the order has so many shares or not.
    func draw(_ draw: inout Draw, _ occasion: Occasion) -> [Int64] {
        guard case .split(let parts) = shape, let latency else { return [] }
        return (0..<parts).map { _ in latency.draw(&draw, attempt: occasion.attempt, at: occasion.now) }
    }
}
