internal import Glibc

/// SplitMix64: the same seed gives the same history on every machine.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    public let seed: UInt64
    private var state: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number of any magnitude, small ones as likely as large ones.
    public mutating func anyInt64() -> Int64 { Int64(truncatingIfNeeded: next()) >> Int64(next() % 64) }

    public mutating func anyBytes(count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    /// Seeds for the arguments of a test, which prints the one it failed with: a new set in each run, or the one in
    /// the environment variable `MERIDIAN_TEST_SEED`.
    public static func seeds(_ count: Int) -> [UInt64] {
        if let text = unsafe getenv("MERIDIAN_TEST_SEED"), let seed = UInt64(unsafe String(cString: text)) {
            return [seed]
        }
        return (0..<count).map { _ in .random(in: 0 ... .max) }
    }
}
