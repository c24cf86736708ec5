import Synchronization

/// Something that happens at most once. Any thread.
final class Flag: Sendable {
    private let state = Atomic(false)

    var isSet: Bool { state.load(ordering: .acquiring) }

    /// True for the first caller.
    @discardableResult
    func set() -> Bool { !state.exchange(true, ordering: .acquiringAndReleasing) }
}
