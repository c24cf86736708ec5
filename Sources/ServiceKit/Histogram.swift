internal import Synchronization

/// The buckets of a histogram, and the unit of its values.
public struct HistogramScale: Sendable {
    /// Upper ends, ascending, in the unit of the recorded values.
    let bounds: [Int]
    /// How many digits a value has after the point when it is shown: 6 shows microseconds as seconds.
    let decimals: Int

    /// Microseconds, shown as seconds.
    public static let durations = HistogramScale(
        bounds: [
            100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
            5_000_000, 10_000_000, 30_000_000, 60_000_000,
        ], decimals: 6)

    /// Nanoseconds, shown as seconds, in the buckets of gRFC A66.
    public static let callDurations = HistogramScale(
        bounds: [
            0, 10, 50, 100, 300, 600, 800, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000, 13_000, 16_000,
            20_000,
            25_000, 30_000, 40_000, 50_000, 65_000, 80_000, 100_000, 130_000, 160_000, 200_000, 250_000, 300_000,
            400_000,
            500_000, 650_000, 800_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000, 100_000_000,
        ].map { $0 * 1000 }, decimals: 9)

    /// Bytes, in the buckets of gRFC A66.
    public static let messageSizes = HistogramScale(
        bounds: [
            0, 1 << 10, 2 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20,
            256 << 20,
            1 << 30, 4 << 30,
        ], decimals: 0)
}

/// Values in cumulative buckets, with their sum. Recording takes no lock.
///
/// @unchecked: `numbers` never changes, and what it points to is atomic.
@safe public final class Histogram: Metric, @unchecked Sendable {
    private let scale: HistogramScale
    /// One for each bound, one for what is above, and the sum.
    private let numbers: UnsafeMutablePointer<Atomic<Int>>
    private var sum: Int { scale.bounds.count + 1 }

    init(_ scale: HistogramScale) {
        self.scale = scale
        unsafe numbers = .allocate(capacity: scale.bounds.count + 2)
        for index in 0..<(scale.bounds.count + 2) { unsafe (numbers + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe numbers.deinitialize(count: scale.bounds.count + 2)
        unsafe numbers.deallocate()
    }

    /// - Parameter value: in the unit of the scale.
    public func record(_ value: Int) {
        // The first bound that is not below the value.
        var low = 0
        var high = scale.bounds.count
        while low < high {
            let middle = (low + high) / 2
            if value <= scale.bounds[middle] { high = middle } else { low = middle + 1 }
        }
        unsafe numbers[low].wrappingAdd(1, ordering: .relaxed)
        unsafe numbers[sum].wrappingAdd(value, ordering: .relaxed)
    }

    /// For scales in microseconds.
    public func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        record(Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000))
    }

    public func append(name: String, labels: String, to text: inout String) {
        let prefix = labels.isEmpty ? "" : labels + ","
        var total = 0
        for (index, bound) in scale.bounds.enumerated() {
            total += unsafe numbers[index].load(ordering: .relaxed)
            text += "\(name)_bucket{\(prefix)le=\"\(decimal(bound))\"} \(total)\n"
        }
        total += unsafe numbers[scale.bounds.count].load(ordering: .relaxed)
        let plain = labels.isEmpty ? "" : "{\(labels)}"
        let sum = unsafe numbers[sum].load(ordering: .relaxed)
        text += "\(name)_bucket{\(prefix)le=\"+Inf\"} \(total)\n"
        text += "\(name)_sum\(plain) \(decimal(sum))\n\(name)_count\(plain) \(total)\n"
    }

    /// Exact, without trailing zeros.
    private func decimal(_ value: Int) -> String {
        guard scale.decimals > 0 else { return "\(value)" }
        let digits = String(value)
        let padded = String(repeating: "0", count: max(0, scale.decimals + 1 - digits.count)) + digits
        var text = "\(padded.dropLast(scale.decimals)).\(padded.suffix(scale.decimals))"
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }
}
