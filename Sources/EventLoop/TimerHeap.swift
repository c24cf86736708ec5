/// One scheduled action of an `EventLoop`. Touch it on its loop only.
public final class LoopTimer {
    fileprivate(set) var deadline: ContinuousClock.Instant
    fileprivate var action: (() -> Void)?
    /// Its place in the heap, or -1 when it is not scheduled.
    fileprivate var position = -1

    fileprivate init(deadline: ContinuousClock.Instant, action: @escaping () -> Void) {
        self.deadline = deadline
        self.action = action
    }

    public var isScheduled: Bool { position >= 0 }
}

/// An indexed binary heap of timers, earliest first: insertion and removal in O(log n), so that a cancelled deadline
/// leaves nothing behind until its time.
struct TimerHeap {
    private var timers: [LoopTimer] = []

    var earliest: ContinuousClock.Instant? { timers.first?.deadline }

    mutating func insert(at deadline: ContinuousClock.Instant, _ action: @escaping () -> Void) -> LoopTimer {
        let timer = LoopTimer(deadline: deadline, action: action)
        timer.position = timers.count
        timers.append(timer)
        siftUp(timer.position)
        return timer
    }

    mutating func remove(_ timer: LoopTimer) {
        let position = timer.position
        guard position >= 0 else { return }
        timer.position = -1
        timer.action = nil
        let last = timers.removeLast()
        guard last !== timer else { return }
        place(last, at: position)
        siftUp(position)
        siftDown(last.position)
    }

    /// Removes and returns the action of one timer that is due at `now`.
    mutating func popDue(_ now: ContinuousClock.Instant) -> (() -> Void)? {
        guard let first = timers.first, first.deadline <= now else { return nil }
        let action = first.action
        remove(first)
        return action
    }

    private mutating func place(_ timer: LoopTimer, at position: Int) {
        timers[position] = timer
        timer.position = position
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        let timer = timers[child]
        while child > 0 {
            let parent = (child - 1) / 2
            guard timer.deadline < timers[parent].deadline else { break }
            place(timers[parent], at: child)
            child = parent
        }
        place(timer, at: child)
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        let timer = timers[parent]
        while true {
            var child = 2 * parent + 1
            guard child < timers.count else { break }
            if child + 1 < timers.count, timers[child + 1].deadline < timers[child].deadline { child += 1 }
            guard timers[child].deadline < timer.deadline else { break }
            place(timers[child], at: parent)
            parent = child
        }
        place(timer, at: parent)
    }
}
