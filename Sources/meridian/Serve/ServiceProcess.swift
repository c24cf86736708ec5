import Channel
import Contracts
import Cryptography
import EventLoop
import Foundation
import Health
import Limits
import Logging
import Postgres
import RPC
import RPCCore
import Redis
import RedisEventBus
import Reflection
import ServiceKit
import TLS

/// One service from start to graceful stop: loops, stores, migrations, server, background work.
struct ServiceProcess {
    let service: ServiceName
    let settings: ServiceSettings

    /// What a service brings.
    struct Parts: Sendable {
        var services: [any RPCService]
        /// Served at MERIDIAN_CONTROL_LISTEN.
        var controlServices: [any RPCService] = []
        /// Is given the server of `services` before it is bound.
        var attach: @Sendable (RPCServer) -> Void = { _ in }
        /// Work in the background, until cancelled.
        var run: @Sendable () async throws -> Void
    }

    func run() async throws {
        let stop = StopSignal()
        let sink = LogSink()
        defer { sink.close() }
        let log = Logger(service: service.rawValue, sink: sink, level: try settings.logLevel())
        do {
            try await serve(until: stop, log: log)
        } catch {
            log.critical("service.failed", metadata: ["error": "\(String(describing: error))"])
            throw error
        }
    }

    private func serve(until stop: StopSignal, log: Logger) async throws {
        let group = try EventLoopGroup(
            name: service.rawValue, count: try settings.integer("loops", default: 1, in: 1...64))
        let environment = ServiceEnvironment(group: group, log: log)
        let certificates = Certificates(
            folder: try settings.text("certs"), revocationList: settings.optionalText("revocation.list"),
            onReload: Self.reloadReport(environment))
        let resources = ServiceResources(
            service: service, settings: settings, environment: environment, certificates: certificates)
        let parts = try await resources.makeParts()

        let health = HealthService()
        let limits = Self.limits(environment)
        let server = RPCServer(
            group: group, services: try registry(parts.services + [health]),
            tls: try certificates.server(service, callers: Certificates.callers(of: service)),
            configuration: limits, interceptors: [ServerObservation(environment)])
        parts.attach(server)
        var addresses: [SocketAddress] = []
        for endpoint in try settings.endpoints("listen") { addresses.append(try await server.bind(to: endpoint)) }
        var control: RPCServer?
        if !parts.controlServices.isEmpty, let endpoint = try settings.optionalEndpoint("control.listen") {
            let made = RPCServer(
                group: group, services: try registry(parts.controlServices),
                tls: try certificates.server(service, callers: ["operator"]),
                configuration: limits, interceptors: [ServerObservation(environment)])
            _ = try await made.bind(to: endpoint)
            control = made
        }
        log.info("service.ready", metadata: ["addresses": "\(addresses.map(\.description).joined(separator: ","))"])

        let metrics = try settings.optionalText("metrics.listen").map(Self.numericAddress)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await Self.onLoop(group) { try await parts.run() } }
            if let metrics {
                let endpoint = MetricsEndpoint(loop: group.nextInTurn, metrics: environment.metrics)
                tasks.addTask {
                    try await endpoint.run(at: metrics) { address in
                        log.info("metrics.ready", metadata: ["address": "\(address)"])
                    }
                }
            }
            tasks.addTask { await stop.wait() }
            // The first to end decides: a signal, or work that failed.
            try await tasks.next()
            log.info("service.stopping")
            health.stopServing()
            await server.shutDown(grace: .seconds(5))
            await control?.shutDown(grace: .seconds(1))
            tasks.cancelAll()
            // What background work throws on its way out is the cancellation.
            while (try? await tasks.next()) != nil {}
        }
        await resources.shutDown()
        log.info("service.stopped")
    }

    /// What every server of ours measures and reports.
    static func limits(_ environment: ServiceEnvironment) -> ServerConfiguration {
        var limits = ServerConfiguration()
        limits.meter = RPCMetrics(environment.metrics)
        limits.onRefusedConnection = RefusalReport(environment.log, environment.metrics).report
        return limits
    }

    /// Logs and counts what becomes of changed certificate files.
    private static func reloadReport(
        _ environment: ServiceEnvironment
    ) -> @Sendable (String, TLSContext.Reload) -> Void {
        let (taken, refused) = (counter("taken"), counter("refused"))
        func counter(_ result: String) -> Counter {
            environment.metrics.counter(
                "meridian_tls_reloads_total", help: "Times that changed certificate files were read.",
                labels: ["result": result])
        }
        return { [log = environment.log] link, reload in
            switch reload {
            case .taken:
                taken.increment()
                log.notice("certificates.reloaded", metadata: ["link": "\(link)"])
            case .refused(let error):
                refused.increment()
                log.error("certificates.refused", metadata: ["link": "\(link)", "error": "\(error)"])
            }
        }
    }

    /// The services, and reflection if the settings ask for it.
    private func registry(_ services: [any RPCService]) throws -> ServiceRegistry {
        var registry = ServiceRegistry(services)
        if try settings.flag("reflection") { registry.addReflection() }
        return registry
    }

    private static func onLoop(
        _ group: EventLoopGroup, _ body: @escaping @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await group.nextInTurn.run(body)
    }

    private static func numericAddress(_ text: String) throws -> SocketAddress {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
            let address = SocketAddress(numericHost: String(text[..<colon]), port: port)
        else {
            throw ServiceSettings.Invalid(
                name: "MERIDIAN_METRICS_LISTEN", problem: "\"\(text)\" is not a numeric host and a port")
        }
        return address
    }
}
