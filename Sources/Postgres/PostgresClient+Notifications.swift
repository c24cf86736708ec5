internal import EventLoop
internal import Limits

extension PostgresClient {
    /// Listens to `channel` on a connection of its own, made again whenever it breaks, until the reader stops.
    ///
    /// - Parameter channel: 1 to 63 bytes without NUL, in the letter case that NOTIFY uses.
    public func notifications(on channel: String) -> AsyncStream<PostgresNotification> {
        precondition((1...63).contains(channel.utf8.count) && !channel.utf8.contains(0), "not a channel's name")
        let (stream, continuation) = AsyncStream.makeStream(
            of: PostgresNotification.self, bufferingPolicy: .bufferingNewest(limits.notificationBuffer))
        let listener = Listener(
            channel: channel, configuration: configuration, limits: limits, loop: loopForListening,
            events: continuation)
        let task = listener.loop.spawn { await listener.run() }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }
}

/// Keeps one connection listening.
private struct Listener: Sendable {
    let channel: String
    let configuration: PostgresConfiguration
    let limits: PostgresLimits
    let loop: EventLoop
    let events: AsyncStream<PostgresNotification>.Continuation

    /// Until the task is cancelled.
    func run() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                let connection = try await Connection.open(configuration, loop: loop, limits: limits)
                defer { connection.close(PostgresError(.closed, "no longer wanted")) }
                connection.onNotification = { payload in events.yield(.received(payload: payload)) }
                let name = channel.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
                _ = try await connection.run(Batch([], before: ["LISTEN \"\(name)\""], commits: false))
                failures = 0
                events.yield(.listening)
                await connection.untilClosed()
            } catch {
                // The reason is the server's absence, which its other users report; here only time helps.
                failures += 1
            }
            let delay = limits.reconnect.delay(afterAttempt: max(1, failures), random: .random(in: 0 ... .max))
            guard (try? await Task.sleep(for: delay)) != nil else { break }
        }
        events.finish()
    }
}
