import Contracts
import Domain
import EventLoop
import Foundation
import Health
import Logging
import MockBroker
import Protobuf
import RPC
import RPCCore
import RPCTool
import Reflection
import ServiceKit
import TLS

/// The mock broker alone, from start to graceful stop.
struct MockBrokerProcess {
    struct Setup: Sendable {
        var host = "127.0.0.1"
        var port: UInt16 = 0
        var controlPort: UInt16 = 0
        /// Nil speaks in the clear.
        var tlsFolder: String?
        var loops = 1
        var logLevel = Logger.Level.warning
        /// Nil keeps the truth in a file without a name, which ends with the process.
        var journalPath: String?
        var behavior = BrokerBehavior()
        var rules: [BrokerRule] = []
        /// Besides the broker's own list, whose prices they replace.
        var prices: [InstrumentID: Price] = [:]
        var preset: String?
        /// Of the preset.
        var seed: Int64?
        /// Besides `default`.
        var namespaces: [String] = []
    }

    /// Where it serves.
    struct Addresses: Sendable, Codable {
        let broker: String
        let control: String
        /// Empty for a file without a name.
        let journal: String
        let pid: Int32

        var text: String {
            "mock broker at \(broker), control at \(control)\(journal.isEmpty ? "" : ", journal \(journal)")"
        }

        /// On one line.
        var json: String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            guard let data = try? encoder.encode(self) else {
                preconditionFailure("texts and a number have a JSON form")
            }
            return String(decoding: data, as: UTF8.self)
        }
    }

    let setup: Setup

    init(_ setup: Setup) { self.setup = setup }

    /// - Parameter ready: is told once everything is served.
    func run(until stop: StopSignal, ready: @escaping @Sendable (Addresses) -> Void) async throws {
        let sink = LogSink()
        defer { sink.close() }
        let log = Logger(service: ServiceName.mockBroker.rawValue, sink: sink, level: setup.logLevel)
        let group = try EventLoopGroup(name: "mock-broker", count: setup.loops)
        defer { group.shutDown() }
        let environment = ServiceEnvironment(group: group, log: log)
        let parts = ServiceProcess.Parts(try broker(environment))
        let health = HealthService(services: [BrokerServiceMethods.schema.fullName])
        let server = try server(parts.services, health, environment)
        parts.attach(server)
        let control = try self.server(parts.controlServices, HealthService(), environment)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.loops[0].run { try await parts.run() } }
            let result: Result<Void, any Error>
            do {
                try await settle(parts.controlServices)
                let addresses = Addresses(
                    broker: try await bind(server, setup.port), control: try await bind(control, setup.controlPort),
                    journal: setup.journalPath ?? "", pid: getpid())
                ready(addresses)
                tasks.addTask { await stop.wait() }
                // The first to end decides: a signal, or a disk that failed.
                try await tasks.next()
                result = .success(())
            } catch {
                result = .failure(error)
            }
            health.stopServing()
            // The broker first, so that its streams end by themselves.
            tasks.cancelAll()
            while (try? await tasks.next()) != nil {}
            await server.shutDown(grace: .seconds(1))
            await control.shutDown(grace: .seconds(1))
            try result.get()
        }
    }

    private func broker(_ environment: ServiceEnvironment) throws -> MockBroker {
        let path =
            setup.journalPath ?? "\(FileManager.default.temporaryDirectory.path)/mock-broker-\(UUID().uuidString)"
        var configuration = MockBrokerConfiguration(journalPath: path)
        configuration.rules = setup.rules
        configuration.prices.merge(setup.prices) { $1 }
        do {
            configuration.behavior = try Behavior(setup.behavior)
            let broker = try MockBroker(configuration, environment)
            // The open file lives without its name, and ends with the process however that ends.
            if setup.journalPath == nil { unsafe unlink(path) }
            return broker
        } catch let error as InvalidSetting {
            throw ToolFailure.invalid("\(error)")
        } catch {
            throw ToolFailure.other("\(path): \(error)")
        }
    }

    private func server(
        _ services: [any RPCService], _ health: HealthService, _ environment: ServiceEnvironment
    ) throws -> RPCServer {
        var registry = ServiceRegistry(services + [health])
        registry.addReflection()
        let identity = setup.tlsFolder.map { folder in
            TLSIdentity(certificateChain: .file("\(folder)/server.pem"), privateKey: .file("\(folder)/server.key"))
        }
        do {
            return RPCServer(
                group: environment.group, services: registry,
                tls: try identity.map { try TLSContext(server: TLSServerConfiguration(identity: $0)) },
                configuration: ServiceProcess.limits(environment), interceptors: [ServerObservation(environment)])
        } catch {
            throw ToolFailure.invalid("TLS cannot be set up: \(error)")
        }
    }

    private func bind(_ server: RPCServer, _ port: UInt16) async throws -> String {
        do {
            let address = try await server.bind(to: .tcp(host: setup.host, port: port))
            let host = setup.host.contains(":") ? "[\(setup.host)]" : setup.host
            return "\(host):\(address.port ?? port)"
        } catch {
            throw ToolFailure.other("\(setup.host):\(port): \(error)")
        }
    }

    /// Tells the broker, before anybody else can, what only its control service takes.
    private func settle(_ services: [any RPCService]) async throws {
        let control = BrokerControlServiceClient(InProcessChannel(services: ServiceRegistry(services)))
        do {
            if let preset = setup.preset {
                _ = try await control.loadPreset(BrokerLoadPresetRequest(preset: preset, seed: setup.seed ?? 0))
            }
            let known = try await control.listNamespaces(BrokerListNamespacesRequest()).namespaces.map(\.name)
            // Those of the journal are kept as they are.
            for name in setup.namespaces where !known.contains(name) {
                var request = BrokerCreateNamespaceRequest(namespace: name)
                if let preset = setup.preset {
                    (request.preset, request.seed) = (preset, setup.seed ?? 0)
                } else {
                    (request.behavior, request.rules) = (setup.behavior, setup.rules)
                }
                _ = try await control.createNamespace(request)
            }
        } catch let status as Status {
            throw ToolFailure.invalid(StatusText.describe(status))
        }
    }
}
