internal import DequeModule

/// Messages in order; the first needs no allocation, since most calls have just one. Its bound is the stream's window.
struct MessageQueue {
    private var first: [UInt8]?
    private var rest: Deque<[UInt8]> = []

    var isEmpty: Bool { first == nil }

    mutating func append(_ message: [UInt8]) {
        if first == nil { first = message } else { rest.append(message) }
    }

    mutating func popFirst() -> [UInt8]? {
        guard let message = first else { return nil }
        first = rest.isEmpty ? nil : rest.removeFirst()
        return message
    }

    mutating func removeAll() {
        first = nil
        rest = []
    }
}
