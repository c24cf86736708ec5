/// Who counts a runtime's calls and connections: the events behind the metrics of gRFC A66 and A94.
///
/// A series is asked for once and kept by the runtime; its methods are called on loops, so they must not block.
public protocol RPCMeter: Sendable {
    /// The series of one method that a server answers; `other` stands for every path that it does not know.
    func serverMethod(_ path: String) -> any ServerMethodMeter

    /// The series of one method that a channel to `target` calls.
    func clientMethod(_ path: String, target: String) -> any ClientMethodMeter

    /// The series of the connections of a channel to `target`.
    func connections(target: String) -> any ConnectionMeter
}

/// `grpc.server.call.*` of one method.
public protocol ServerMethodMeter: AnyObject, Sendable {
    func callStarted()
    func callEnded(_ call: MeasuredCall)
}

/// `grpc.client.attempt.*` and `grpc.client.call.*` of one method.
public protocol ClientMethodMeter: AnyObject, Sendable {
    func attemptStarted()
    func attemptEnded(_ attempt: MeasuredCall)

    /// - Parameters:
    ///   - duration: from the caller's start to its end, waiting for a connection and all attempts included.
    ///   - retries: attempts after the first, made by the retry policy.
    ///   - transparentRetries: attempts made again since no handler had seen them.
    ///   - retryDelay: how long the call waited between attempts.
    func callEnded(
        _ status: Status.Code, duration: Duration, retries: Int, transparentRetries: Int, retryDelay: Duration)
}

/// `grpc.subchannel.*` of one target.
public protocol ConnectionMeter: AnyObject, Sendable {
    func attemptSucceeded()
    func attemptFailed()
    func opened()
    func closed()
}

/// How one call, or one attempt at it, went.
public struct MeasuredCall: Sendable, Hashable {
    public var status: Status.Code
    /// Nanoseconds; a plain number, since every call has one.
    public var durationNanoseconds: Int64
    /// Bytes of the messages as they crossed the wire, after compression, without their prefixes.
    public var sentMessageBytes: Int
    public var receivedMessageBytes: Int

    public init(_ status: Status.Code, durationNanoseconds: Int64, sentMessageBytes: Int, receivedMessageBytes: Int) {
        self.status = status
        self.durationNanoseconds = durationNanoseconds
        self.sentMessageBytes = sentMessageBytes
        self.receivedMessageBytes = receivedMessageBytes
    }
}
