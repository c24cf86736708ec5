/// Where a rule strikes.
package enum InjectionPoint: UInt8, Hashable, Comparable, Sendable, CaseIterable {
    /// The request has arrived and the broker knows nothing of it.
    case beforeRead = 1
    /// The request is read and found good; nothing is committed.
    case afterReadBeforeCommit
    /// What the request does is on disk; nothing of the reply has left.
    case afterCommitBeforeReply
    /// The reply is on its way.
    case duringReply
    /// A report is about to be delivered on a stream.
    case beforeEvent
    /// A report was delivered on a stream.
    case afterEvent

    package static func < (a: InjectionPoint, b: InjectionPoint) -> Bool { a.rawValue < b.rawValue }

    var isAboutReports: Bool { self == .beforeEvent || self == .afterEvent }

    static let requests: Set<InjectionPoint> = [
        .beforeRead, .afterReadBeforeCommit, .afterCommitBeforeReply, .duringReply,
    ]
    static let reports: Set<InjectionPoint> = [.beforeEvent, .afterEvent]
}
