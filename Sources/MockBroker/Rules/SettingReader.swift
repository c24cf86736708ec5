internal import Contracts
internal import Domain
internal import Protobuf

/// Reads single values of a rule or a behaviour, each refusal with the field's path.
enum SettingReader {
    /// A name of a rule or a namespace: 1 to 64 of `[0-9A-Za-z_.-]`.
    static func name(_ text: String, _ path: String) throws(InvalidSetting) -> String {
        let isGood = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isGood, (1...64).contains(text.utf8.count) else {
            throw InvalidSetting(path: path, problem: "must be 1 to 64 of 0-9 A-Z a-z _ . -")
        }
        return text
    }

    static func number<Number: Comparable>(
        _ value: Number, in range: ClosedRange<Number>, _ path: String
    ) throws(InvalidSetting) -> Number {
        // Also refuses what is no number at all.
        guard range.contains(value) else {
            throw InvalidSetting(path: path, problem: "must be \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// A length of time in whole microseconds, up to a day; nil when it is absent.
    static func microseconds(
        _ duration: Google_Protobuf_Duration?, _ path: String, atLeast minimum: Int64 = 0
    ) throws(InvalidSetting) -> Int64? {
        guard let duration else { return nil }
        let isInRange = duration.isValid && (0...86_400).contains(duration.seconds) && duration.nanos >= 0
        let value = isInRange ? duration.seconds * 1_000_000 + Int64(duration.nanos) / 1000 : -1
        guard (minimum...LatencyDistribution.maximum).contains(value) else {
            throw InvalidSetting(
                path: path, problem: minimum > 0 ? "must be above zero and at most a day" : "must be zero to a day")
        }
        return value
    }

    /// The same, where it must be there.
    static func requiredMicroseconds(
        _ duration: Google_Protobuf_Duration?, _ path: String, atLeast minimum: Int64 = 0
    ) throws(InvalidSetting) -> Int64 {
        guard let value = try microseconds(duration, path, atLeast: minimum) else {
            throw InvalidSetting(path: path, problem: "is missing")
        }
        return value
    }

    static func time(_ time: Google_Protobuf_Timestamp?, _ path: String) throws(InvalidSetting) -> UnixTime? {
        guard let time else { return nil }
        guard let value = UnixTime(time) else { throw InvalidSetting(path: path, problem: "is out of range") }
        return value
    }

    static func text(_ text: String, upTo limit: Int, _ path: String) throws(InvalidSetting) -> String {
        guard text.utf8.count <= limit else {
            throw InvalidSetting(path: path, problem: "must be at most \(limit) bytes")
        }
        return text
    }
}
