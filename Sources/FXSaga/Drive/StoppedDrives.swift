internal import Synchronization

/// Leases whose driver was stopped by the store and may not have been able to say so there.
///
/// The next recovery gives them back. What does not fit, the oldest first, is left to run out.
final class StoppedDrives: Sendable {
    private let claims = Mutex<[Claim]>([])
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    func add(_ claim: Claim) {
        claims.withLock { claims in
            if claims.count == capacity { claims.removeFirst() }
            claims.append(claim)
        }
    }

    /// Has `giveBack` give back what has been added. When it throws, the next try has them again.
    func giveBack(_ giveBack: ([Claim]) async throws -> Void) async throws {
        let stopped = claims.withLock { $0 }
        guard !stopped.isEmpty else { return }
        try await giveBack(stopped)
        let known = Set(stopped)
        claims.withLock { $0.removeAll { known.contains($0) } }
    }
}
