/// The door's settings.
public struct ChannelConfiguration: Sendable {
    /// Calls of one customer each second, steadily.
    public var callsPerSecond = 200
    /// Calls of one customer at once after a pause.
    public var callBurst = 400
    /// The longest a call may take, unless the caller wants it shorter.
    public var callTimeout: Duration = .seconds(10)
    /// How old the view of the entry switches may be.
    public var entryRefresh: Duration = .seconds(1)
    /// The product that an overseas order belongs to, as the entry switches name it.
    public var overseasProduct = "overseas-stocks"

    public init() {}
}
