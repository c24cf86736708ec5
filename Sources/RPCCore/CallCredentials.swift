/// Secrets that go with each call, such as a bearer token: metadata that is made for the call and never sent in the
/// clear. Use it as an interceptor.
public struct CallCredentials: ClientInterceptor {
    private let make: @Sendable (_ path: String) async throws -> Metadata

    /// - Parameter metadata: what goes with a call of a path (`/package.Service/Method`). It may wait, for a new token
    ///   for instance, and is asked once for each call, not for each attempt. Its `Status` ends the call; another error
    ///   ends it with UNAUTHENTICATED and is not told to the caller's caller.
    public init(_ metadata: @escaping @Sendable (_ path: String) async throws -> Metadata) { make = metadata }

    /// The same text in `authorization` with every call: `Bearer` and the token.
    public init(bearerToken token: String) throws(MetadataError) {
        var metadata = Metadata()
        try metadata.append("Bearer \(token)", for: "authorization")
        self.init { [metadata] _ in metadata }
    }

    /// Fails with UNAUTHENTICATED, with nothing sent, when the channel is not confidential.
    public func startCall(_ path: String, options: CallOptions, next: any RPCChannel) async throws -> any ClientCall {
        guard next.isConfidential else {
            throw Status(
                .unauthenticated, "\(path): credentials are not sent over a transport without TLS",
                certainty: .notProcessed)
        }
        var options = options
        options.metadata.append(contentsOf: try await metadata(path))
        return try await next.startCall(path, options: options)
    }

    private func metadata(_ path: String) async throws -> Metadata {
        do {
            return try await make(path)
        } catch let error as any StatusConvertible {
            throw Self.restricted(error.status)
        } catch let status as Status {
            throw Self.restricted(status)
        } catch let error as CancellationError {
            throw Status(describing: error).with(certainty: .notProcessed)
        } catch {
            throw Status(.unauthenticated, "\(path): no credentials for the call", certainty: .notProcessed)
        }
    }

    /// Codes that would look like the method's own answer become INTERNAL. Source: gRFC A54.
    private static func restricted(_ status: Status) -> Status {
        var status = status.with(certainty: .notProcessed)
        switch status.code {
        case .invalidArgument, .notFound, .alreadyExists, .failedPrecondition, .aborted, .outOfRange, .dataLoss, .ok:
            status.code = .internal
        case .cancelled, .unknown, .deadlineExceeded, .permissionDenied, .resourceExhausted, .unimplemented, .internal,
            .unavailable, .unauthenticated:
            break
        }
        return status
    }
}
