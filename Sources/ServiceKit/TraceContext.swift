/// The identity of one journey through all services (W3C Trace Context, version 00).
///
/// It travels as `traceparent` in call metadata, in the headers of events, and in the rows of work to be done later, so
/// that what the order causes carries the order's trace id wherever it happens.
public struct TraceContext: Sendable, Hashable {
    /// 16 bytes as 32 lower-case hexadecimal digits, not all zero.
    public let traceID: String
    /// 8 bytes as 16 lower-case hexadecimal digits, not all zero.
    public let spanID: String

    @TaskLocal public static var current: TraceContext?

    /// A new journey.
    public init(random: (UInt64, UInt64, UInt64)) {
        traceID = Self.digits(random.0 | 1) + Self.digits(random.1)
        spanID = Self.digits(random.2 | 1)
    }

    /// A new journey from the system's randomness: for the doors of the system, where journeys begin.
    public static func begin() -> TraceContext {
        var generator = SystemRandomNumberGenerator()
        return TraceContext(random: (generator.next(), generator.next(), generator.next()))
    }

    /// Reads a `traceparent` value; nil when it is not one, and then a new journey begins.
    public init?(traceparent: String) {
        let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].count == 2, parts[0] != "ff",
            Self.isID(parts[1], digits: 32), Self.isID(parts[2], digits: 16)
        else { return nil }
        traceID = String(parts[1])
        spanID = String(parts[2])
    }

    public var traceparent: String { "00-\(traceID)-\(spanID)-01" }

    /// The same journey, one step further.
    public func child(random: UInt64) -> TraceContext {
        TraceContext(traceID: traceID, spanID: Self.digits(random | 1))
    }

    private init(traceID: String, spanID: String) {
        self.traceID = traceID
        self.spanID = spanID
    }

    private static func digits(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    private static func isID(_ text: Substring, digits: Int) -> Bool {
        text.utf8.count == digits && text.utf8.contains { $0 != UInt8(ascii: "0") }
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
