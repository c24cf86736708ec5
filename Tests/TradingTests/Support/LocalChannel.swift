import RPCCore

/// A channel that calls the handlers of services directly: unary calls only.
struct LocalChannel: RPCChannel {
    let registry: ServiceRegistry

    init(_ service: any RPCService) { registry = ServiceRegistry([service]) }

    func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall {
        throw Status(.unimplemented, "only unary calls", certainty: .notProcessed)
    }

    func unary(_ path: String, _ request: [UInt8], options: CallOptions) async throws -> [UInt8] {
        guard let method = registry.methods[path] else { throw Status(.unimplemented, path) }
        let call = LocalCall(path: path, request: request)
        let status = await method.run(call)
        guard status.isOK else { throw status }
        guard let response = call.takeResponse() else { throw Status(.internal, "no response") }
        return response
    }
}
