import Contracts
import RPCCore

/// A status as people read it: what happened, whether it is certain, and what to do.
enum StatusText {
    static func describe(_ status: Status) -> String {
        guard let detail = WireErrorDetail(status) else { return "\(status)" }
        var lines = ["\(status.code) \(detail.reason): \(status.message)"]
        let certainty: String? =
            switch detail.certainty {
            case .definitelyNotDone: "nothing was changed"
            case .definitelyDone: "it was done all the same"
            case .unknown: "it is not known whether it was done"
            case .unspecified, .unrecognized: nil
            }
        let advice: String? =
            switch detail.retry {
            case .never: "the same request will be refused again"
            case .sameIDAfter: "the same request under the same id may be sent again"
            case .askFirst: "ask for the outcome first"
            case .unspecified, .unrecognized: nil
            }
        let words = [certainty, advice].compactMap { $0 }
        if !words.isEmpty { lines.append("  " + words.joined(separator: "; ")) }
        for (name, value) in detail.context.sorted(by: { $0.key < $1.key }) { lines.append("  \(name) = \(value)") }
        return lines.joined(separator: "\n")
    }
}
