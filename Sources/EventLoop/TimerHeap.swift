internal import Limits

/// Something that an `EventLoop` does at a given time. Touch it on its loop only.
open class LoopTimer {
    /// Its place in the heap, or -1 when it is not scheduled. Unchecked: no access of it calls out.
    @exclusivity(unchecked) fileprivate final var position = -1

    public init() {}

    /// Called on the loop, once, when the time has come.
    open func fire() {}

    public final var isScheduled: Bool { unsafe position >= 0 }
}

/// A timer that runs a closure.
final class ActionTimer: LoopTimer {
    private let action: () -> Void

    init(_ action: @escaping () -> Void) { self.action = action }

    override func fire() { action() }
}

/// An indexed binary heap of timers, earliest first: insertion and removal in O(log n), so that a cancelled deadline
/// leaves nothing behind until its time.
struct TimerHeap {
    private struct Entry {
        let deadline: Deadline
        let timer: LoopTimer
    }

    private var entries: [Entry] = []

    var earliest: Deadline? { entries.first?.deadline }

    mutating func insert(_ timer: LoopTimer, at deadline: Deadline) {
        precondition(!timer.isScheduled, "the timer is scheduled already")
        entries.append(Entry(deadline: deadline, timer: timer))
        siftUp(entries.count - 1)
    }

    mutating func remove(_ timer: LoopTimer) {
        let position = unsafe timer.position
        guard position >= 0 else { return }
        unsafe timer.position = -1
        let last = entries.removeLast()
        guard position < entries.count else { return }
        entries[position] = last
        siftUp(position)
        unsafe siftDown(last.timer.position)
    }

    /// Removes and returns one timer that is due at `now`.
    mutating func popDue(_ now: Deadline) -> LoopTimer? {
        guard let first = entries.first, first.deadline <= now else { return nil }
        remove(first.timer)
        return first.timer
    }

    private mutating func place(_ entry: Entry, at position: Int) {
        entries[position] = entry
        unsafe entry.timer.position = position
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        let entry = entries[child]
        while child > 0 {
            let parent = (child - 1) / 2
            guard entry.deadline < entries[parent].deadline else { break }
            place(entries[parent], at: child)
            child = parent
        }
        place(entry, at: child)
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        let entry = entries[parent]
        while true {
            var child = 2 * parent + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].deadline < entries[child].deadline { child += 1 }
            guard entries[child].deadline < entry.deadline else { break }
            place(entries[child], at: parent)
            parent = child
        }
        place(entry, at: parent)
    }
}
