/// Keeps a value on the heap, so that a message can contain a message of its own type. Behaves as the value it holds.
public indirect enum Indirect<Value: Hashable & Sendable>: Hashable, Sendable {
    case value(Value)

    public init(_ value: Value) { self = .value(value) }

    public var value: Value {
        switch self {
        case .value(let value): value
        }
    }
}
