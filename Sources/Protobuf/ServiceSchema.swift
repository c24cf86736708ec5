/// What the `.proto` file says about one service.
public struct ServiceSchema: Sendable {
    /// With the package, without a leading dot: `meridian.account.v1.AccountService`.
    public let fullName: String
    public let methods: [MethodSchema]

    public init(_ fullName: String, _ methods: [MethodSchema]) {
        self.fullName = fullName
        self.methods = methods
    }

    public func method(named name: String) -> MethodSchema? { methods.first { $0.name == name } }
}

/// What the `.proto` file says about one method.
public struct MethodSchema: Sendable {
    /// As in the `.proto` file: `PlaceHold`.
    public let name: String
    public let input: MessageSchema
    public let output: MessageSchema
    /// Whether the client sends any number of messages instead of one.
    public let clientStreams: Bool
    /// Whether the server sends any number of messages instead of one.
    public let serverStreams: Bool

    public init(
        _ name: String, _ input: MessageSchema, _ output: MessageSchema, clientStreams: Bool = false,
        serverStreams: Bool = false
    ) {
        self.name = name
        self.input = input
        self.output = output
        self.clientStreams = clientStreams
        self.serverStreams = serverStreams
    }
}
