internal import EventLoop
internal import HTTP2
internal import Limits
internal import RPCCore

/// Keeps asking a connection's server how a service is, for as long as the connection takes calls. Source: gRFC A17.
///
/// @unchecked: touched on the loop only.
struct HealthWatch: @unchecked Sendable {
    static let path = "/grpc.health.v1.Health/Watch"
    private static let messageBytes = 1024

    let connection: ClientConnection
    let service: String
    let contents: ClientContents
    /// `connection.health` has changed.
    let onChange: () -> Void

    /// Returns when the connection takes no more calls, the task is cancelled, or the server does not know the method.
    func run() async {
        connection.loop.preconditionOnLoop()
        var failures = 0
        while connection.takesCalls, !Task.isCancelled {
            var answers = 0
            let status = await watch { health in
                answers += 1
                set(health)
            }
            guard connection.takesCalls, !Task.isCancelled else { return }
            if status.code == .unimplemented { return set(.serving) }
            // An answer on this try resets the pauses: the next comes at once.
            failures = answers > 0 ? 0 : failures + 1
            set(.failing(failure("the health of \(name) is not known: \(status)")))
            guard failures > 0 else { continue }
            let backoff = contents.configuration.backoff
            let pause = backoff.delay(afterAttempt: failures, random: .random(in: .min ... .max))
            // Ends early by cancellation only, which the loop's condition sees.
            try? await Task.sleep(for: pause)
        }
    }

    /// One call of Watch. Returns how it ended.
    private func watch(_ receive: (ClientConnection.Health) -> Void) async -> Status {
        do {
            let stream = ClientStream(
                connection, maximumRequestBytes: .max, maximumResponseBytes: Self.messageBytes, isWatch: true)
            connection.reservePlace(isWatch: true)
            guard connection.session.submitRequest(stream, contents.requestHeaders(Self.path, .defaults, nil, 0)) else {
                connection.releasePlace(isWatch: true)
                return Status(.unavailable, "the connection takes no more calls", certainty: .notProcessed)
            }
            defer { stream.cancelNow() }
            try stream.sendNow(HealthMessages.request(service: service))
            stream.finish()
            while let message = try await stream.nextMessage() {
                switch HealthMessages.status(message) {
                case HealthMessages.serving: receive(.serving)
                case let status: receive(.failing(failure("\(name) does not serve (health \(status ?? 0))")))
                }
            }
            return .ok
        } catch {
            return Status(describing: error)
        }
    }

    private func set(_ health: ClientConnection.Health) {
        connection.health = health
        onChange()
    }

    private var name: String { service.isEmpty ? "the server" : service }

    private func failure(_ problem: String) -> Status {
        Status(
            .unavailable, "\(contents.target): \(connection.address): \(problem)", certainty: .notProcessed)
    }
}

/// The two messages of `grpc.health.v1.Health/Watch`, which are too small for generated code.
enum HealthMessages {
    /// SERVING in `HealthCheckResponse.ServingStatus`.
    static let serving: UInt64 = 1

    /// `HealthCheckRequest`: the service in field 1.
    static func request(service: String) -> [UInt8] {
        guard !service.isEmpty else { return [] }
        return [0x0A] + varint(UInt64(service.utf8.count)) + service.utf8
    }

    /// `HealthCheckResponse.status`, field 1; 0 when it is missing, nil when the bytes are no message.
    static func status(_ bytes: [UInt8]) -> UInt64? {
        var rest = bytes[...]
        var status: UInt64 = 0
        while !rest.isEmpty {
            guard let key = takeVarint(&rest) else { return nil }
            switch key & 7 {
            case 0:
                guard let value = takeVarint(&rest) else { return nil }
                if key >> 3 == 1 { status = value }
            case 1, 5:
                let count = key & 7 == 1 ? 8 : 4
                guard rest.count >= count else { return nil }
                rest = rest.dropFirst(count)
            case 2:
                guard let count = takeVarint(&rest), count <= UInt64(rest.count) else { return nil }
                rest = rest.dropFirst(Int(count))
            default: return nil
            }
        }
        return status
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private static func takeVarint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
