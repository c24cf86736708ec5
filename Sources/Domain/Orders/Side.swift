/// Side (FIX 54).
public enum Side: String, Sendable, Hashable, CaseIterable {
    case buy = "BUY"
    case sell = "SELL"
}
