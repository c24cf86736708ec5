/// Who gives a parked exchange back to automation, and why.
struct Redrive: Hashable, Sendable {
    /// 1 to 64 characters.
    let operatorName: String
    /// 1 to 500 characters.
    let reason: String
}
