/// An error that knows what a caller on the network shall see of it.
public protocol StatusConvertible: Error {
    var status: Status { get }
}

extension Status {
    /// The single place where an error becomes what a caller on the network sees.
    public init(describing error: any Error) {
        // Details go to the log, not to the peer.
        self = Status(declaredBy: error) ?? Status(.unknown, "internal error")
    }

    /// What `error` itself says that a caller shall see; nil when it says nothing.
    public init?(declaredBy error: any Error) {
        switch error {
        case let status as Status: self = status
        case let error as any StatusConvertible: self = error.status
        case is CancellationError: self = Status(.cancelled, "cancelled")
        default: return nil
        }
    }

    /// How a call ends whose handler threw `error`: an OK that is thrown would hide a failure.
    public init(handlerFailure error: any Error) {
        let status = Status(describing: error)
        self = status.isOK ? Status(.internal, "the handler failed with OK") : status
    }
}
