/// A currency that Meridian keeps books in. Raw values are ISO 4217 codes.
///
/// A new currency is a new case; every table about currencies then fails to compile until it answers for it.
public enum Currency: String, Sendable, Hashable, CaseIterable {
    case krw = "KRW"
    case usd = "USD"

    /// Decimal places of the minor unit: 0 for the won, 2 for the dollar (ISO 4217).
    public var scale: Int {
        switch self {
        case .krw: 0
        case .usd: 2
        }
    }

    /// The currency with this upper-case ISO 4217 code, or nil when no books are kept in it.
    public init?(code: String) { self.init(rawValue: code) }

    /// The ISO 4217 code, for example `USD`.
    public var code: String { rawValue }
}

extension Currency: CustomStringConvertible {
    public var description: String { code }
}
