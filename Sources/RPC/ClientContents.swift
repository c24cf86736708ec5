internal import HTTP2
internal import Limits
internal import RPCCore
internal import TLS

/// What all loops of a client channel share.
struct ClientContents: Sendable {
    let target: Target
    let configuration: ClientConfiguration
    let tls: TLSContext?
    /// Nil for targets whose addresses are fixed.
    let resolution: Resolution?
    /// Nil when retries are not throttled.
    let throttle: RetryThrottle?
    let states: ChannelStates
    private let authority: String

    init(target: Target, configuration: ClientConfiguration, tls: TLSContext?, loopCount: Int) {
        self.target = target
        self.configuration = configuration
        self.tls = tls
        authority = configuration.authority ?? target.authority
        resolution =
            switch target.source {
            case .fixed: nil
            case .resolved(let resolver):
                Resolution(resolver, target: target.description, configuration: configuration)
            }
        throttle = configuration.serviceConfig.retryThrottling.map(RetryThrottle.init)
        states = ChannelStates(loopCount: loopCount)
    }

    /// - Parameter previousAttempts: by the retry policy.
    func requestHeaders(
        _ path: String, _ options: CallOptions, _ deadline: Deadline?, _ previousAttempts: Int
    ) -> HeaderBlock {
        var block = HeaderBlock()
        block.append(":method", "POST")
        block.append(":scheme", tls == nil ? "http" : "https")
        block.append(":path", path)
        block.append(":authority", authority)
        block.append("te", "trailers")
        block.append("content-type", "application/grpc")
        block.append("user-agent", "grpc-swift-meridian/1.0")
        block.append("grpc-accept-encoding", MessageEncoding.accepted)
        if options.encoding != .identity { block.append("grpc-encoding", options.encoding.rawValue) }
        if let deadline { block.append("grpc-timeout", TimeoutHeader.encode(deadline.remaining)) }
        if previousAttempts > 0 { block.append("grpc-previous-rpc-attempts", String(previousAttempts)) }
        block.append(options.metadata)
        return block
    }
}
