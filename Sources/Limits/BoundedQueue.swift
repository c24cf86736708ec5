internal import DequeModule

/// A first-in-first-out queue that never holds more than `capacity` elements. What happens when it is full is the
/// caller's decision, made where `append` returns false. Confine it to one thread or guard it with a lock.
public struct BoundedQueue<Element> {
    public let capacity: Int
    private var elements: Deque<Element> = []

    public init(capacity: Int) {
        precondition(capacity > 0, "a queue holds at least one element")
        self.capacity = capacity
    }

    public var count: Int { elements.count }
    public var isEmpty: Bool { elements.isEmpty }
    public var isFull: Bool { elements.count >= capacity }

    /// Appends `element`, or returns false and changes nothing when the queue is full.
    public mutating func append(_ element: Element) -> Bool {
        guard !isFull else { return false }
        elements.append(element)
        return true
    }

    public mutating func popFirst() -> Element? { elements.popFirst() }

    /// Removes everything and returns it in order.
    public mutating func drain() -> [Element] {
        defer { elements.removeAll() }
        return Array(elements)
    }

    /// Removes the first element that satisfies `predicate` and returns it.
    public mutating func removeFirst(where predicate: (Element) -> Bool) -> Element? {
        guard let index = elements.firstIndex(where: predicate) else { return nil }
        return elements.remove(at: index)
    }
}

extension BoundedQueue: Sendable where Element: Sendable {}
