internal import DequeModule
internal import RPCCore

/// Messages in order; the first needs no allocation, since most calls have just one. Its bound is the stream's window.
struct MessageQueue {
    private var first: FramedMessage?
    /// Nil until a second message waits.
    private var rest: Deque<FramedMessage>?

    var isEmpty: Bool { first == nil }

    mutating func append(_ message: FramedMessage) {
        guard first != nil else {
            first = message
            return
        }
        if rest == nil { rest = [] }
        rest?.append(message)
    }

    mutating func popFirst() -> FramedMessage? {
        guard let message = first else { return nil }
        first = rest?.popFirst()
        return message
    }

    mutating func removeAll() {
        first = nil
        rest = nil
    }
}
