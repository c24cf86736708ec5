/// The receiver's settings.
public struct FillReceiverConfiguration: Sendable {
    /// Reports stored in one transaction, at most.
    public var batchLimit = 256
    /// Reports that wait between the stream and the store; a slow store then slows the stream down.
    public var bufferLimit = 1024
    /// How long the heartbeats may name a later report than the stream brought before it is fetched.
    public var gapPatience: Duration = .seconds(2)
    /// Without any event for this long the stream counts as dead and is opened again.
    public var silenceLimit: Duration = .seconds(15)
    /// How often the pull side is asked although everything looks well.
    public var pullInterval: Duration = .seconds(30)
    /// The longest that fetching one page may take.
    public var pullTimeout: Duration = .seconds(10)
    /// After this long an execution that nobody applied is published again.
    public var applyPatience: Duration = .seconds(10)
    /// The longest that storing one batch may take.
    public var storeTimeout: Duration = .seconds(10)

    public init() {}
}
