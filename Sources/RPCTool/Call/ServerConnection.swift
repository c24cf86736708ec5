package import EventLoop
import Limits
package import RPC
package import RPCCore
package import TLS

/// A channel to one server whose first call tells how long the look-up and the connection took, or where they hung.
package final class ServerConnection: RPCChannel {
    package struct Settings: Sendable {
        package var address: ServerAddress
        /// Nil speaks in the clear.
        package var tls: TLSContext?
        /// For the look-up, and again for the connection with its handshakes.
        package var connectTimeout: Duration = .seconds(10)
        package var authority: String?
        /// Silence after which the server is pinged, at least 10 s; nil pings never.
        package var keepaliveTime: Duration?
        /// Of one reply, in bytes.
        package var maximumMessageBytes = 4 << 20

        package init(address: ServerAddress, tls: TLSContext? = nil) {
            self.address = address
            self.tls = tls
        }

        /// A channel as it is, without steps: for loads.
        /// - Parameter waitingCalls: how many calls may wait for a connection, or for room on it.
        package func channel(_ group: EventLoopGroup, waitingCalls: Int = 1024) -> RPCClientChannel {
            var configuration = ClientConfiguration()
            configuration.connectTimeout = connectTimeout
            configuration.authority = authority
            configuration.keepalive = keepaliveTime.map { ClientKeepalive(interval: $0) }
            configuration.maximumResponseBytes = maximumMessageBytes
            configuration.maximumWaitingCalls = waitingCalls
            return RPCClientChannel(target: address.endpoint, tls: tls, group: group, configuration: configuration)
        }
    }

    package let steps: StepLog
    private let settings: Settings
    private let group: EventLoopGroup
    private let channel: RPCClientChannel
    private let isReached = Flag()

    package init(_ settings: Settings, group: EventLoopGroup, steps: StepLog = StepLog()) {
        self.settings = settings
        self.group = group
        self.steps = steps
        channel = settings.channel(group)
    }

    package var target: String { "\(settings.address.endpoint)" }

    package func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall {
        guard !isReached.isSet else { return try await channel.startCall(path, options: options) }
        try await lookUp()
        let security = settings.tls == nil ? "in the clear" : "with TLS"
        let call = try await steps.run(.connect, "\(target) \(security)") {
            do {
                return try await channel.startCall(path, options: options)
            } catch let status as Status where status.isNoConnection {
                throw ToolFailure.notConnected(status.message + advice(status.message))
            }
        }
        isReached.set()
        return call
    }

    package func shutDown() async { await channel.shutDown() }

    /// The channel looks the name up by itself; this one shows how long it takes, and that it is what fails.
    private func lookUp() async throws {
        guard case .tcp(let host, let port) = settings.address.endpoint else { return }
        guard SocketAddress(numericHost: host, port: port) == nil else { return }
        let loop = group.loops[0]
        let limit = settings.connectTimeout
        let deadline = min(.now + limit, Deadline.current?.instant ?? .now + limit)
        try await steps.run(.resolve, host) {
            let outcome: Result<Int, any Error> = await loop.perform {
                await withCheckedContinuation { continuation in
                    let once = LookUpOutcome(continuation)
                    // The look-up itself cannot be stopped; it ends by itself, unheard.
                    let timer = loop.schedule(at: deadline) {
                        once.end(.failure(Status(.deadlineExceeded, "no answer from the resolver")))
                    }
                    loop.spawn {
                        do {
                            once.end(.success(try await NameResolver.addresses(of: host, port: port).count))
                        } catch {
                            once.end(.failure(error))
                        }
                        loop.cancel(timer)
                    }
                }
            }
            do {
                _ = try outcome.get()
            } catch let error as NameError {
                throw ToolFailure.notConnected("The name \(error.host) cannot be looked up: \(error.reason).")
            }
        }
    }

    /// What people get wrong most often.
    private func advice(_ reason: String) -> String {
        if settings.tls != nil, reason.contains("wrong version number") || reason.contains("packet length") {
            return " (Does the server speak in the clear? Then say http:// or --plaintext.)"
        }
        if settings.tls == nil, !reason.contains("refused"), !reason.contains("No such file") {
            return " (Does the server want TLS? Then leave --plaintext and http:// out.)"
        }
        return ""
    }
}

/// Resumes once, whoever is first. Confined to the loop.
private final class LookUpOutcome {
    private var continuation: CheckedContinuation<Result<Int, any Error>, Never>?

    init(_ continuation: CheckedContinuation<Result<Int, any Error>, Never>) { self.continuation = continuation }

    func end(_ outcome: Result<Int, any Error>) {
        continuation?.resume(returning: outcome)
        continuation = nil
    }
}
