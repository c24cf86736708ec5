import Contracts
import Domain
import Limits
import Logging
import RPCCore
import ServiceKit
import Synchronization

/// The facts about the broker: those of the configuration until the gateway has told its own.
final class CapabilityStore: Sendable {
    private let known: Mutex<Domain.BrokerCapabilities>
    private let fallback: Domain.BrokerCapabilities

    init(_ fallback: Domain.BrokerCapabilities) {
        self.fallback = fallback
        known = Mutex(fallback)
    }

    var current: Domain.BrokerCapabilities { known.withLock { $0 } }

    /// Asks the gateway now and then, until cancelled: as soon as it is there, soon again after a failure, rarely after a
    /// success.
    func run(
        gateway: BrokerGatewayServiceClient, environment: ServiceEnvironment, deadline: Duration
    ) async throws {
        while !Task.isCancelled {
            var pause = Duration.seconds(60)
            do {
                let record = try await Deadline.within(deadline) {
                    try await gateway.getCapabilities(
                        .init(brokerID: fallback.broker.text), options: CallOptions(waitsForReady: true))
                }
                let next = Domain.BrokerCapabilities(record, fallback: fallback)
                let isNew = known.withLock { known in
                    defer { known = next }
                    return known != next
                }
                if isNew {
                    environment.log.info(
                        "broker.capabilities_learned",
                        metadata: [
                            "broker_id": "\(next.broker)", "idempotency": "\(next.idempotencyMode.rawValue)",
                            "looks_up": "\(next.looksUpByClientID)", "cancels": "\(next.cancelsByClientID)",
                        ])
                }
            } catch {
                guard !Task.isCancelled else { break }
                pause = .seconds(2)
                environment.log.warning(
                    "broker.capabilities_unknown",
                    metadata: ["broker_id": "\(fallback.broker)", "error": "\(Status(describing: error))"])
            }
            try await Task.sleep(for: pause)
        }
    }
}
