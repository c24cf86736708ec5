internal import Synchronization

/// A number that several tasks of a test count up.
public final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    public init() {}

    public var value: Int { count.load(ordering: .sequentiallyConsistent) }

    /// Adds one and returns the new value.
    @discardableResult
    public func increment() -> Int { count.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue }
}
