internal import DequeModule
internal import Synchronization

/// A bounded channel from many writers to one reader that takes everything waiting at once.
///
/// A full channel makes writers wait, so that back-pressure reaches whoever feeds them; the reader's batches grow by
/// themselves when it is slow. Waiting ends with the task's cancellation.
public final class BatchChannel<Element: Sendable>: Sendable {
    private struct State {
        var elements: Deque<Element> = []
        var reader: CheckedContinuation<Void, Never>?
        var writers: Deque<(id: UInt64, continuation: CheckedContinuation<Void, Never>)> = []
        var lastWriter: UInt64 = 0
        var finished = false
    }

    private let capacity: Int
    private let state = Mutex(State())

    public init(capacity: Int) {
        precondition(capacity > 0, "a channel holds at least one element")
        self.capacity = capacity
    }

    public var count: Int { state.withLock { $0.elements.count } }

    /// Appends `element`, waiting while the channel is full. False when the channel has finished or the task is cancelled.
    public func send(_ element: Element) async -> Bool {
        while !Task.isCancelled {
            if let sent = trySend(element) { return sent }
            await waitForRoom()
        }
        return false
    }

    /// Appends `element` at once: true when taken, false when the channel has finished, nil when it is full.
    public func trySend(_ element: Element) -> Bool? {
        let (result, reader): (Bool?, CheckedContinuation<Void, Never>?) = state.withLock { state in
            guard !state.finished else { return (false, nil) }
            guard state.elements.count < capacity else { return (nil, nil) }
            state.elements.append(element)
            defer { state.reader = nil }
            return (true, state.reader)
        }
        reader?.resume()
        return result
    }

    /// Everything that waits, at most `maximum`, in order; waits for the first element. Nil when the channel has
    /// finished and is empty, or the task is cancelled. One reader at a time.
    public func receiveBatch(maximum: Int) async -> [Element]? {
        while !Task.isCancelled {
            let (batch, writers, finished) = take(maximum)
            for writer in writers { writer.resume() }
            if !batch.isEmpty { return batch }
            if finished { return nil }
            await waitForElement()
        }
        return nil
    }

    /// No element is taken any more; the reader still gets what waits.
    public func finish() {
        let (reader, writers) = state.withLock { state in
            state.finished = true
            defer {
                state.reader = nil
                state.writers.removeAll()
            }
            return (state.reader, state.writers.map(\.continuation))
        }
        reader?.resume()
        for writer in writers { writer.resume() }
    }

    private func take(_ maximum: Int) -> ([Element], [CheckedContinuation<Void, Never>], finished: Bool) {
        state.withLock { state in
            let batch = Array(state.elements.prefix(maximum))
            state.elements.removeFirst(batch.count)
            let woken = state.writers.prefix(capacity - state.elements.count).map(\.continuation)
            state.writers.removeFirst(woken.count)
            return (batch, woken, state.finished)
        }
    }

    private func waitForElement() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    precondition(state.reader == nil, "a channel has one reader")
                    guard state.elements.isEmpty, !state.finished, !Task.isCancelled else { return true }
                    state.reader = continuation
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume()
        }
    }

    private func waitForRoom() async {
        let id = state.withLock { state in
            state.lastWriter += 1
            return state.lastWriter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    guard state.elements.count >= capacity, !state.finished, !Task.isCancelled else { return true }
                    state.writers.append((id, continuation))
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        } onCancel: {
            let writer = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let index = state.writers.firstIndex(where: { $0.id == id }) else { return nil }
                return state.writers.remove(at: index).continuation
            }
            writer?.resume()
        }
    }
}
