internal import EventLoop
internal import RPCCore

/// Connects to the first of several addresses that answers: one after the other in order, the next one started when
/// the last has failed or has not answered for a while. Source: RFC 8305; gRFC A61.
struct ConnectRace {
    private enum Event: Sendable {
        case connected(ClientConnection)
        case failed(Status)
        /// Time for the next address, unless more than `started` are under way by now.
        case timeIsUp(started: Int)
    }

    struct Outcome {
        var winner: Result<ClientConnection, Status>
        /// Connections that answered too late, to be closed.
        var surplus: [ClientConnection] = []
    }

    let loop: EventLoop
    let contents: ClientContents
    let meter: (any ConnectionMeter)?

    /// Returns when every attempt has ended. Call on the loop; cancellation ends all attempts.
    ///
    /// - Parameter limit: for each address.
    func run(_ addresses: [SocketAddress], limit: Duration) async -> Outcome {
        let ordered = Self.interleaved(addresses)
        return await withTaskGroup(of: Event.self) { attempts in
            var outcome = Outcome(winner: .failure(Status(.unavailable, "no address", certainty: .notProcessed)))
            var started = 0
            var running = 0
            func startNext() {
                guard started < ordered.count else { return }
                let address = ordered[started]
                started += 1
                running += 1
                attempts.addTask { await attempt(address, limit) }
                guard started < ordered.count else { return }
                attempts.addTask { [started] in
                    // Ends early by cancellation only, when nobody listens any more.
                    try? await Task.sleep(for: contents.configuration.connectStagger)
                    return .timeIsUp(started: started)
                }
            }
            startNext()
            while running > 0, let event = await attempts.next() {
                switch event {
                case .connected(let connection):
                    running -= 1
                    if case .success = outcome.winner {
                        outcome.surplus.append(connection)
                    } else {
                        outcome.winner = .success(connection)
                        attempts.cancelAll()
                    }
                case .failed(let status):
                    running -= 1
                    guard case .failure = outcome.winner else { continue }
                    outcome.winner = .failure(status)
                    if !Task.isCancelled { startNext() }
                case .timeIsUp(let count):
                    if case .failure = outcome.winner, count == started, !Task.isCancelled { startNext() }
                }
            }
            attempts.cancelAll()
            return outcome
        }
    }

    private func attempt(_ address: SocketAddress, _ limit: Duration) async -> Event {
        loop.preconditionOnLoop()
        do throws(Status) {
            let connection = try await ConnectAttempt(address, contents, loop).run(by: .now + limit)
            meter?.attemptSucceeded()
            return .connected(connection)
        } catch {
            if !Task.isCancelled { meter?.attemptFailed() }
            return .failed(error)
        }
    }

    /// The families take turns, beginning with that of the first address. Source: RFC 8305 section 4.
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let first = addresses.first else { return [] }
        var own = addresses.filter { $0.isIPv6 == first.isIPv6 }[...]
        var others = addresses.filter { $0.isIPv6 != first.isIPv6 }[...]
        var ordered: [SocketAddress] = []
        while !own.isEmpty || !others.isEmpty {
            if let address = own.popFirst() { ordered.append(address) }
            if let address = others.popFirst() { ordered.append(address) }
        }
        return ordered
    }
}

extension SocketAddress {
    fileprivate var isIPv6: Bool {
        if case .ipv6 = self { true } else { false }
    }
}
