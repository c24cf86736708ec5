internal import DequeModule

/// The memory that one connection sets aside for large messages which have begun and not been taken yet.
///
/// Without a place, a call's window stays shut after its first bytes, so that a peer which begins many large messages
/// and finishes none holds little. Calls get their places in the order in which they asked; one message always fits.
struct MessageMemory {
    let limitBytes: Int
    private(set) var reservedBytes = 0
    var waitingCount: Int { waiting.count }
    private var waiting: Deque<(stream: CallStream, bytes: Int)> = []

    init(limitBytes: Int) { self.limitBytes = limitBytes }

    /// True when the place is there; otherwise `reservationGranted` says so later.
    mutating func reserve(_ bytes: Int, for stream: CallStream) -> Bool {
        guard waiting.isEmpty, fits(bytes) else {
            waiting.append((stream, bytes))
            return false
        }
        reservedBytes += bytes
        return true
    }

    /// Gives a place back, and the next calls theirs.
    mutating func release(_ bytes: Int) {
        reservedBytes -= bytes
        while let next = waiting.first, fits(next.bytes) {
            waiting.removeFirst()
            reservedBytes += next.bytes
            next.stream.reservationGranted(next.bytes)
        }
    }

    /// The call does not wait any more.
    mutating func forget(_ stream: CallStream) {
        waiting.removeAll { $0.stream === stream }
    }

    private func fits(_ bytes: Int) -> Bool { reservedBytes == 0 || reservedBytes + bytes <= limitBytes }
}
