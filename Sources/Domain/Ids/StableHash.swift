/// A hash that is the same in every process and on every machine: FNV-1a with 128 bits.
///
/// For derived ids, body hashes of our own canonical forms, and reproducible jitter; not against an adversary.
/// Source: Fowler, Noll, Vo; parameters of the 128-bit variant.
public struct StableHash: Sendable, Hashable {
    private var state: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
    private static let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013B

    public init() {}

    public mutating func combine(byte: UInt8) {
        state ^= UInt128(byte)
        state = state &* Self.prime
    }

    /// Takes the length first, so that `("ab", "c")` and `("a", "bc")` differ.
    public mutating func combine(_ text: String) {
        combine(UInt64(text.utf8.count))
        for byte in text.utf8 { combine(byte: byte) }
    }

    public mutating func combine(_ value: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { combine(byte: UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
    }

    public mutating func combine(_ value: Int64) { combine(UInt64(bitPattern: value)) }

    /// 32 lower-case digits.
    public var hexadecimal: String {
        Hexadecimal.text(UInt64(truncatingIfNeeded: state >> 64)) + Hexadecimal.text(UInt64(truncatingIfNeeded: state))
    }

    /// 64 well-mixed bits (the finaliser of SplitMix64 over both halves).
    public var bits: UInt64 {
        var mixed = UInt64(truncatingIfNeeded: state >> 64) ^ UInt64(truncatingIfNeeded: state)
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
