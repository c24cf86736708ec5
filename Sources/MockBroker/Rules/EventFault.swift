internal import Domain

/// A fault in the delivery of reports on a stream. The broker's own books stay right.
package enum EventFault: Hashable, Sendable {
    /// Delivers it `copies` more times.
    case duplicate(copies: Int, spacing: Duration, CopyKind)
    /// Does not deliver it; lists that do not begin at the very beginning do not show it either.
    case drop(fromLists: Bool)
    /// Lets others overtake it. Values: how many.
    case reorder(window: Int)
    /// Collects so many reports and delivers them at once.
    case batch(count: Int)
    case corrupt(Corruption)
    /// The sequence on this stream leaves out so many numbers.
    case sequenceGap(count: Int)
    /// The sequence on this stream begins at 1 again.
    case sequenceReset
    /// No report any more for so long (nil means until the stream ends), while heartbeats go on.
    case hang(Duration?, heartbeatsLie: Bool)
    /// The stream ends.
    case disconnect
    /// A stream begins so many reports later than its cursor says (earlier, when below zero); nil at the beginning.
    case cursor(offBy: Int?)
    /// The report does not say that it was there before.
    case replayFlagMissing

    /// What is different about a copy.
    package enum CopyKind: Hashable, Sendable {
        case same
        case newExecutionID
        case otherContent
    }

    /// What is delivered instead.
    package enum Corruption: Hashable, Sendable {
        /// Bytes that are no message.
        case garbage
        /// The first half of the message.
        case truncated
        case unknownField
        case unknownEnum
    }

    func draw(_ draw: inout Draw, _ occasion: Occasion) -> [Int64] {
        switch self {
        case .reorder(let window): [draw.within(1...Int64(window))]
        case .duplicate, .drop, .batch, .corrupt, .sequenceGap, .sequenceReset, .hang, .disconnect, .cursor,
            .replayFlagMissing:
            []
        }
    }
}
