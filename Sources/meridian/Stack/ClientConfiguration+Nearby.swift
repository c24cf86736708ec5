import Limits
import RPC

extension ClientConfiguration {
    /// For the services of one stack: a peer that was restarted is found again within seconds, where the published
    /// back-off, made for the servers of others, would let up to two minutes pass.
    static var nearby: ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.connectTimeout = .seconds(3)
        configuration.backoff = Backoff(initial: .milliseconds(100), factorPercent: 160, maximum: .seconds(3))
        return configuration
    }
}
