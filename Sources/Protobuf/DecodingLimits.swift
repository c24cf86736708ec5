/// What decoding one message may cost.
public struct DecodingLimits: Hashable, Sendable {
    /// Levels of sub-messages below the outermost message. protobuf's own libraries use 100.
    public var nesting: Int
    /// Bytes of memory that any message may use while it is decoded, however short its input.
    public var memoryFloorBytes: Int
    /// Bytes of memory per input byte, for inputs for which this is more than `memoryFloorBytes`.
    public var memoryPerInputByte: Int

    public init(nesting: Int = 100, memoryFloorBytes: Int = 4 << 20, memoryPerInputByte: Int = 32) {
        precondition(nesting >= 0 && nesting <= 100, "nesting is from 0 to 100")
        self.nesting = nesting
        self.memoryFloorBytes = memoryFloorBytes
        self.memoryPerInputByte = memoryPerInputByte
    }

    public static let `default` = DecodingLimits()

    /// The memory that an input of `count` bytes may use, in bytes.
    func memoryBytes(forInput count: Int) -> Int {
        let (scaled, overflow) = count.multipliedReportingOverflow(by: memoryPerInputByte)
        return max(memoryFloorBytes, overflow ? .max : scaled)
    }
}
