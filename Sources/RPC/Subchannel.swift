internal import EventLoop
internal import Limits
internal import RPCCore

/// At most one connection that takes calls, to one of some addresses, and the state machine that makes it anew: one of
/// these with all addresses makes pick-first, one for each address round-robin.
///
/// @unchecked: touched on the loop only.
final class Subchannel: @unchecked Sendable {
    private enum Phase {
        case idle
        case connecting
        case ready(ClientConnection)
        /// After a failed round, until the next.
        case pausing(LoopTimer)
        case closed
    }

    private unowned let channel: LoopChannel
    private var loop: EventLoop { channel.loop }
    private var configuration: ClientConfiguration { channel.contents.configuration }
    private(set) var addresses: [SocketAddress]
    private var phase = Phase.idle
    private var failedRounds = 0
    private var readySince = ContinuousClock.now
    /// Why it has no connection, from the first failed round to the next success.
    private var failure: Status?
    private var connecting: Task<Void, Never>?

    init(_ channel: LoopChannel, _ addresses: [SocketAddress]) {
        self.channel = channel
        self.addresses = addresses
    }

    /// The connection, if calls may use it now.
    var usableConnection: ClientConnection? {
        guard case .ready(let connection) = phase, case .serving = connection.health else { return nil }
        return connection
    }

    var state: ConnectivityState {
        switch phase {
        case .idle: .idle
        case .connecting, .pausing: failure == nil ? .connecting : .transientFailure
        case .closed: .shutdown
        case .ready(let connection):
            switch connection.health {
            case .serving: .ready
            case .pending: .connecting
            case .failing: .transientFailure
            }
        }
    }

    /// What a call is told while the state is a transient failure.
    var failureStatus: Status? {
        if case .ready(let connection) = phase, case .failing(let status) = connection.health { return status }
        return failure
    }

    /// Connects, unless it is connected, connecting or in a pause.
    func connect() {
        guard case .idle = phase else { return }
        phase = .connecting
        connecting = channel.start { await self.connectOnce() }
        channel.update()
    }

    /// Keeps a connection whose address is still there. A pause is over, since what failed may be gone.
    func replaceAddresses(_ new: [SocketAddress]) {
        guard new != addresses else { return }
        addresses = new
        switch phase {
        case .ready(let connection) where !new.contains(connection.address):
            phase = .idle
            channel.leave(connection)
        case .pausing(let timer):
            loop.cancel(timer)
            phase = .idle
            connect()
        case .idle, .connecting, .ready, .closed: break
        }
    }

    /// Its calls end in peace; nothing new begins.
    func close() {
        switch phase {
        case .ready(let connection): channel.leave(connection)
        case .pausing(let timer): loop.cancel(timer)
        case .idle, .connecting, .closed: break
        }
        phase = .closed
        connecting?.cancel()
    }

    // MARK: Connecting

    private func connectOnce() async {
        loop.preconditionOnLoop()
        let start = ContinuousClock.now
        let pause = configuration.backoff.delay(
            afterAttempt: failedRounds + 1, random: .random(in: .min ... .max))
        let race = ConnectRace(loop: loop, contents: channel.contents, meter: channel.connectionMeter)
        let outcome = await race.run(addresses, limit: max(pause, configuration.connectTimeout))
        connecting = nil
        for connection in outcome.surplus { channel.leave(connection) }
        switch outcome.winner {
        case .success(let connection):
            guard case .connecting = phase else { return channel.leave(connection) }
            guard addresses.contains(connection.address) else {
                channel.leave(connection)
                return fail("\(connection.address) is no longer an address of it", until: .now)
            }
            begin(connection)
        case .failure(let status):
            guard case .connecting = phase else { return }
            fail(status.message, until: start + pause)
        }
    }

    private func begin(_ connection: ClientConnection) {
        phase = .ready(connection)
        readySince = .now
        channel.began(connection)
        connection.onChange = { [weak self] in self?.changed($0) }
        // The server may have left in the same breath.
        guard connection.takesCalls else { return changed(connection) }
        failure = nil
        watchHealth(of: connection)
        channel.update()
    }

    private func watchHealth(of connection: ClientConnection) {
        let serviceConfig = configuration.serviceConfig
        guard let service = serviceConfig.healthCheckedService, case .roundRobin = serviceConfig.loadBalancing else {
            return
        }
        connection.health = .pending
        let watch = HealthWatch(
            connection: connection, service: service, contents: channel.contents,
            onChange: { [weak channel] in channel?.update() })
        connection.watch = channel.start { await watch.run() }
    }

    private func fail(_ reason: String, until instant: ContinuousClock.Instant) {
        failedRounds += 1
        failure = Status(
            .unavailable, "no connection to \(channel.contents.target): \(reason)", certainty: .notProcessed)
        pause(until: instant)
    }

    private func pause(until instant: ContinuousClock.Instant) {
        phase = .pausing(
            loop.schedule(at: instant) { [weak self] in
                guard let self, case .pausing = phase else { return }
                phase = .idle
                connect()
            })
        channel.contents.resolution?.refresh()
        channel.update()
    }

    // MARK: The connection's life

    private func changed(_ connection: ClientConnection) {
        guard case .ready(let current) = phase, current === connection, !connection.takesCalls else { return }
        phase = .idle
        channel.leave(connection)
        if !connection.hasServed, readySince.duration(to: .now) < configuration.backoff.initial {
            return dropped(connection)
        }
        failedRounds = 0
        channel.contents.resolution?.refresh()
        if channel.wantsConnections { connect() } else { channel.update() }
    }

    /// Connecting alone is no success: a server that drops its clients at once is not called without pause. The first
    /// time may be its restart or drain; calls wait.
    private func dropped(_ connection: ClientConnection) {
        let pause = configuration.backoff.delay(afterAttempt: failedRounds + 1, random: .random(in: .min ... .max))
        guard failedRounds == 0 else {
            return fail("\(connection.address): \(connection.closeReason.message)", until: readySince + pause)
        }
        failedRounds = 1
        self.pause(until: readySince + pause)
    }
}
