internal import Domain
internal import Glibc

/// Chance as a function of seed, rule, subject and attempt: no shared generator, so the order in which threads decide
/// changes nothing. One decision may draw several numbers, one after the other.
struct Draw {
    private let hash: StableHash
    private var index: Int64 = 0

    init(seed: Int64, rule: String, subject: String, attempt: Int) {
        var hash = StableHash()
        hash.combine(seed)
        hash.combine(rule)
        hash.combine(subject)
        hash.combine(Int64(attempt))
        self.hash = hash
    }

    private mutating func bits() -> UInt64 {
        var hash = hash
        hash.combine(index)
        index += 1
        return hash.bits
    }

    /// 0 up to, but not including, `count`; evenly but for a bias below 2^-32 at our counts.
    mutating func below(_ count: UInt64) -> UInt64 { bits().multipliedFullWidth(by: count).high }

    /// Evenly from `range`.
    mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(below(UInt64(range.upperBound - range.lowerBound) + 1))
    }

    /// Above 0 and below 1, with 53 bits.
    mutating func unit() -> Double { (Double(bits() >> 11) + 0.5) * 0x1p-53 }

    /// True for this share of draws; 1 is always, 0 never.
    mutating func hits(_ probability: Double) -> Bool { unit() < probability }

    /// From the normal distribution with mean 0 and deviation 1 (Box and Muller).
    mutating func normal() -> Double {
        let radius = (-2 * log(unit())).squareRoot()
        return radius * cos(2 * .pi * unit())
    }
}
