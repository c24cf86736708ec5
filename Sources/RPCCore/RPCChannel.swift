/// A client's way to a server: it starts calls. Generated clients hold one.
public protocol RPCChannel: Sendable {
    /// Starts a call of `path` (`/package.Service/Method`).
    ///
    /// The caller ends it: by receiving until nil or an error, or by `cancel`. `withCall` does so by scope. Throws
    /// `Status`: UNAVAILABLE without a connection (unless the options wait for one), DEADLINE_EXCEEDED, CANCELLED.
    func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall

    /// One message there, one back. A transport may implement it by a shorter way than `startCall`.
    func unary(_ path: String, _ request: [UInt8], options: CallOptions) async throws -> [UInt8]

    /// Whether nobody but the server can read what is sent: TLS, or a call inside the process.
    var isConfidential: Bool { get }
}

extension RPCChannel {
    /// Plaintext, unless a transport says otherwise.
    public var isConfidential: Bool { false }

    public func unary(_ path: String, _ request: [UInt8], options: CallOptions) async throws -> [UInt8] {
        try await withCall(path, options: options) { call in
            try await sendSingle(request, on: call)
            return try await singleResponse(call)
        }
    }

    /// Runs `body` with a call; leaving it, or cancelling the task, cancels the call unless it has ended.
    public func withCall<Result>(
        _ path: String, options: CallOptions = .defaults, _ body: (any ClientCall) async throws -> Result
    ) async throws -> Result {
        let call = try await startCall(path, options: options)
        defer { call.cancel() }
        return try await withTaskCancellationHandler {
            try await body(call)
        } onCancel: {
            call.cancel()
        }
    }

    // MARK: The four shapes, typed

    /// Throws `Status`.
    public func unary<Request, Response>(
        _ method: MethodDescriptor<Request, Response>, _ request: Request, options: CallOptions = .defaults
    ) async throws -> Response {
        let response = try await unary(method.path, try method.request.encode(request), options: options)
        return try decodeResponse(response, method.response.decode)
    }

    /// Runs `body` with the responses as they come; leaving it cancels the call unless it has ended.
    public func serverStreaming<Request, Response, Result>(
        _ method: MethodDescriptor<Request, Response>, _ request: Request, options: CallOptions = .defaults,
        _ body: (ResponseSequence<Response>) async throws -> Result
    ) async throws -> Result {
        let bytes = try method.request.encode(request)
        return try await withCall(method.path, options: options) { call in
            try await sendSingle(bytes, on: call)
            return try await body(ResponseSequence(call, method.response))
        }
    }

    /// Runs `body`, which writes the requests, and then waits for the response.
    public func clientStreaming<Request, Response>(
        _ method: MethodDescriptor<Request, Response>, options: CallOptions = .defaults,
        _ body: (RequestWriter<Request>) async throws -> Void
    ) async throws -> Response {
        try await withCall(method.path, options: options) { call in
            do {
                try await body(RequestWriter(call, method.request))
                await call.finishSending()
            } catch is CallEnded {
                // The server has heard enough; what it answered follows.
            }
            return try decodeResponse(try await singleResponse(call), method.response.decode)
        }
    }

    /// Runs `body` with both directions; leaving it cancels the call unless it has ended.
    public func bidirectional<Request, Response, Result>(
        _ method: MethodDescriptor<Request, Response>, options: CallOptions = .defaults,
        _ body: (RequestWriter<Request>, ResponseSequence<Response>) async throws -> Result
    ) async throws -> Result {
        try await withCall(method.path, options: options) { call in
            try await body(RequestWriter(call, method.request), ResponseSequence(call, method.response))
        }
    }
}

/// Sends the only request of a call. A server that has answered without it is not at fault: its answer follows.
package func sendSingle(_ request: [UInt8], on call: any ClientCall) async throws {
    do {
        try await call.send(request)
        await call.finishSending()
    } catch is CallEnded {}
}

/// The one message of a call that has exactly one response.
package func singleResponse(_ call: any ClientCall) async throws -> [UInt8] {
    guard let response = try await call.receive() else {
        throw Status(.internal, "the response has no message", certainty: .unknown)
    }
    guard try await call.receive() == nil else {
        throw Status(.internal, "the response has more than one message", certainty: .unknown)
    }
    return response
}

/// A response that cannot be read: the server did its work, but what it said is lost.
func decodeResponse<Message>(_ bytes: [UInt8], _ decode: ([UInt8]) throws -> Message) throws(Status) -> Message {
    do {
        return try decode(bytes)
    } catch {
        throw Status(.internal, "unreadable response message", certainty: .unknown)
    }
}
