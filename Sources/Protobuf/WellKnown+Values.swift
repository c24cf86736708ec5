extension Google_Protobuf_Timestamp {
    /// A time as seconds and nanoseconds since 1970 in UTC.
    ///
    /// - Parameter sinceEpoch: from -62,135,596,800 s (year 1) to 253,402,300,799.999999999 s (year 9999). Digits beyond
    ///   nanoseconds are cut off towards the past.
    public init(sinceEpoch: Duration) {
        var (seconds, attoseconds) = sinceEpoch.components
        if attoseconds < 0 {
            seconds -= 1
            attoseconds += 1_000_000_000_000_000_000
        }
        self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }

    /// The time since 1970 in UTC; negative before.
    public var sinceEpoch: Duration { .seconds(seconds) + .nanoseconds(Int64(nanos)) }

    /// Microseconds since 1970, which is what PostgreSQL keeps; cut off towards the past. Nil if out of range.
    public var microsecondsSinceEpoch: Int64? {
        guard isValid else { return nil }
        return seconds * 1_000_000 + Int64(nanos / 1000)
    }

    /// A time from microseconds since 1970.
    public init(microsecondsSinceEpoch: Int64) {
        let seconds =
            microsecondsSinceEpoch >= 0
            ? microsecondsSinceEpoch / 1_000_000 : (microsecondsSinceEpoch + 1) / 1_000_000 - 1
        self.init(seconds: seconds, nanos: Int32(microsecondsSinceEpoch - seconds * 1_000_000) * 1000)
    }

    /// Whether it is a time from year 1 to year 9999.
    public var isValid: Bool { RFC3339.seconds.contains(seconds) && (0..<1_000_000_000).contains(nanos) }

    /// `2024-02-29T12:00:00.500Z`; nil if it is out of range.
    public var rfc3339: String? { RFC3339.text(seconds: seconds, nanos: Int64(nanos)) }

    /// Reads a time such as `2024-02-29T12:00:00.5+09:00`; nil if the text is not one. Source: RFC 3339.
    public init?(rfc3339 text: String) {
        guard let (seconds, nanos) = RFC3339.parse(text) else { return nil }
        self.init(seconds: seconds, nanos: nanos)
    }
}

extension Google_Protobuf_Duration {
    /// A span of time; digits beyond nanoseconds are cut off towards zero.
    public init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }

    /// The span of time.
    public var duration: Duration { .seconds(seconds) + .nanoseconds(Int64(nanos)) }

    /// Whether it is at most 10,000 years either way and its parts have one sign.
    public var isValid: Bool { DurationText.text(seconds: seconds, nanos: Int64(nanos)) != nil }
}

extension Google_Protobuf_Any {
    /// A message with its type, under the customary `type.googleapis.com/`.
    public init<M: Message>(packing message: M) {
        self.init(typeURL: "type.googleapis.com/" + M.schema.fullName, value: message.encoded())
    }

    /// Whether it holds a message of this type.
    public func holds<M: Message>(_ type: M.Type) -> Bool {
        typeURL.split(separator: "/", omittingEmptySubsequences: false).last.map { $0 == M.schema.fullName } ?? false
    }

    /// The message, nil if it is of another type.
    public func unpacked<M: Message>(as type: M.Type = M.self) throws(ProtobufError) -> M? {
        holds(type) ? try M(decoding: value) : nil
    }
}
