/// A fault in the delivery of a report. The broker's own books stay right.
package enum EventFault: Hashable, Sendable {
    /// Delivers it `copies` more times.
    case duplicate(copies: Int)

    func draw(_ draw: inout Draw, _ occasion: Occasion) -> [Int64] {
        switch self {
        case .duplicate: []
        }
    }
}
