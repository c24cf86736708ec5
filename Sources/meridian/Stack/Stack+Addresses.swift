import EventLoop
import Foundation

extension Stack {
    /// Where a service listens.
    struct Addresses: Sendable {
        /// Where it serves over TCP, `host:port`; nil for unix sockets alone.
        var serving: String?
        /// Where Prometheus finds its figures, `host:port`; nil when it was asked for none.
        var metrics: String?
    }

    /// Where a service listens that was started here, in its own words: it knows the ports that the kernel chose.
    ///
    /// Waits until it has written them into its log, for at most five seconds after it answers.
    func addresses(of service: ServiceName) async throws -> Addresses {
        let limit = ContinuousClock.now + .seconds(5)
        while true {
            let events = try await BlockingPool.shared.run { Result { try self.eventsSinceStart(of: service) } }.get()
            let ready = events.last { $0.name == "service.ready" }
            let metrics = events.last { $0.name == "metrics.ready" }
            if let ready, metrics != nil || !servesMetrics(service) {
                let serving = (ready.facts["addresses"] ?? "").split(separator: ",").first { !$0.hasPrefix("unix:") }
                return Addresses(
                    serving: serving.map(Self.withoutScheme),
                    metrics: metrics?.facts["address"].map { Self.withoutScheme($0[...]) })
            }
            guard ContinuousClock.now < limit, isRunning(service) else {
                throw Failure(
                    "\(service.rawValue) does not say where it listens; see \(folder.log(of: service.rawValue))")
            }
            try await Task.sleep(for: .milliseconds(20))  // Another process writes the file.
        }
    }

    private func eventsSinceStart(of service: ServiceName) throws -> [Timeline.Event] {
        let file = try FileHandle(forReadingFrom: URL(filePath: folder.log(of: service.rawValue)))
        defer { try? file.close() }
        try file.seek(toOffset: logStart(of: service))
        let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        return text.split(separator: "\n").compactMap { Timeline.parse(String($0)) }
    }

    /// `ipv4:127.0.0.1:7443` as `127.0.0.1:7443`, the form that settings and other programs take.
    private static func withoutScheme(_ address: Substring) -> String {
        String(address.drop { $0 != ":" }.dropFirst())
    }
}
