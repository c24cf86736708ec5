public import Domain
public import Logging

/// One event as one line of JSON: when, level, service, trace, what happened, and its facts.
///
/// The message of the event is its name (`order.accepted`); facts go into the metadata. Keys keep the order
/// at, level, service, trace, event; the rest follows by name.
public enum LogLine {
    public static func format(
        at time: UnixTime, level: Logger.Level, service: String, trace: TraceContext?, event: String,
        facts: Logger.Metadata
    ) -> String {
        var line = "{\"at\":\"\(timestamp(time))\",\"level\":\"\(level.rawValue)\",\"service\":"
        append(service, to: &line)
        if let trace { line += ",\"trace\":\"\(trace.traceID)\"" }
        line += ",\"event\":"
        append(event, to: &line)
        for (key, value) in facts.sorted(by: { $0.key < $1.key }) {
            line += ","
            append(key, to: &line)
            line += ":"
            append(value, to: &line)
        }
        return line + "}\n"
    }

    /// UTC with microseconds, as in RFC 3339.
    public static func timestamp(_ time: UnixTime) -> String {
        let days = time.seconds >= 0 ? time.seconds / 86400 : (time.seconds - 86399) / 86400
        let second = time.seconds - days * 86400
        let date = CivilDate(epochDay: Int32(days))
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let fraction = String(Int(time.nanos) / 1000 + 1_000_000).dropFirst()
        return "\(date)T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60)).\(fraction)Z"
    }

    private static func append(_ value: Logger.MetadataValue, to line: inout String) {
        switch value {
        case .string(let text): append(text, to: &line)
        case .stringConvertible(let value):
            switch value {
            case let number as any FixedWidthInteger: line += "\(number)"
            case let flag as Bool: line += "\(flag)"
            default: append(value.description, to: &line)
            }
        case .array(let values):
            line += "["
            for (index, value) in values.enumerated() {
                if index > 0 { line += "," }
                append(value, to: &line)
            }
            line += "]"
        case .dictionary(let values):
            line += "{"
            for (index, pair) in values.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { line += "," }
                append(pair.key, to: &line)
                line += ":"
                append(pair.value, to: &line)
            }
            line += "}"
        }
    }

    private static func append(_ text: String, to line: inout String) {
        line += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: line.unicodeScalars.append(scalar)
            }
        }
        line += "\""
    }
}
