import EventLoop
import Foundation
import Limits
import LocalServers
import Postgres
import Processes
import RPC
import RPCCore
import Synchronization

/// A whole Meridian on this machine: private PostgreSQL and Redis, keys, and every service as a process of its own,
/// linked by unix sockets with mutual TLS. Its processes end with this one, however it ends.
final class Stack: Sendable {
    struct Options: Sendable {
        /// Where customers reach the door, beside its unix socket; port 0 lets the kernel choose.
        var channelListen = "127.0.0.1:0"
        /// The first of eight ports on the loopback where Prometheus finds the services' figures, in the order of
        /// `services`; 0 lets the kernel choose each, nil serves none.
        var metricsPort: UInt16?
        /// Beyond the defaults, by service: NAME=value.
        var settings: [ServiceName: [String: String]] = [:]
        var logLevel = "info"
        /// The program that serves; nil is this one.
        var program: String?
        /// The repository's folder, for Certs/generate; nil takes MERIDIAN_HOME or the current folder.
        var home: String?
    }

    let folder: StackFolder
    let group: EventLoopGroup
    private let options: Options
    private let postgres: PostgresServer
    private let redis: RedisServer
    private let processes = Mutex<[ServiceName: Running]>([:])
    private let channels = Mutex<[String: RPCClientChannel]>([:])

    private struct Running {
        let process: ChildProcess
        /// Where this process's lines begin in the log.
        let logStart: UInt64
    }

    /// In the order in which they start: who is asked serves before who asks begins, so that nobody starts with a failure
    /// and a pause after it.
    private static let waves: [[ServiceName]] = [
        [.mockBroker, .accountKRW, .accountFX], [.fx, .brokerGateway, .fillReceiver], [.trading], [.channel],
    ]
    static let services = waves.flatMap(\.self)

    init(folder: StackFolder, options: Options) throws {
        self.folder = folder
        self.options = options
        group = try EventLoopGroup(name: "stack", count: 1)
        postgres = try PostgresServer(
            dataFolder: folder.data(of: "postgres"), socketFolder: folder.runFolder,
            logPath: folder.log(of: "postgres"),
            settings: [
                ("max_connections", "100"), ("shared_buffers", "128MB"), ("jit", "off"), ("max_wal_size", "1GB"),
                ("log_min_messages", "warning"),
                // Solid-state storage. Also lets plans made while a table was empty use its index, not read it whole.
                ("random_page_cost", "1.1"),
            ])
        redis = RedisServer(
            dataFolder: folder.data(of: "redis"), socketPath: folder.redisSocket, logPath: folder.log(of: "redis"))
    }

    // MARK: Start and stop

    /// Starts everything and returns when every service answers. `progress` is told each step.
    func start(progress: @Sendable (String) -> Void) async throws {
        try folder.create()
        progress("keys and certificates")
        try await blocking { try self.makeCertificates() }
        progress("PostgreSQL")
        try await blocking { try self.startPostgres() }
        progress("Redis")
        try await blocking { try self.startRedis() }
        progress("databases")
        try await createDatabases()
        progress("services: " + Self.services.map(\.rawValue).joined(separator: ", "))
        for wave in Self.waves {
            for service in wave { try await start(service) }
            for service in wave { try await waitUntilReady(service) }
        }
    }

    /// Ends everything in an orderly way: our own connections, services, newest first, then the stores. It cannot be
    /// started again.
    func stop() async {
        for channel in channels.withLock({ $0.values.map { $0 } }) { await channel.shutDown() }
        await blocking {
            let processes = self.processes.withLock { processes in
                defer { processes.removeAll() }
                return processes
            }
            for service in Self.services.reversed() { processes[service]?.process.send(SIGTERM) }
            for service in Self.services.reversed() { processes[service]?.process.wait() }
            self.redis.stop()
            self.postgres.stop()
        }
        group.shutDown()
    }

    /// Starts one service that is not running, and does not wait for it.
    func start(_ service: ServiceName) async throws {
        try write(settings(of: service), for: service)
        let arguments = [
            "setpriv", "--pdeathsig", "TERM", try options.program ?? Self.ownPath(), "serve", service.rawValue, "--env",
            folder.settings(of: service),
        ]
        try await blocking {
            let log = self.folder.log(of: service.rawValue)
            let logStart = (try? FileHandle(forReadingFrom: URL(filePath: log)))?.seekToEndOfFile() ?? 0
            let process = try ChildProcess(arguments, logPath: log)
            self.processes.withLock { $0[service] = Running(process: process, logStart: logStart) }
        }
    }

    /// Ends one service at once, as a crash would: SIGKILL.
    func kill(_ service: ServiceName) async {
        let process = processes.withLock { $0.removeValue(forKey: service)?.process }
        await blocking {
            process?.send(SIGKILL)
            process?.wait()
        }
    }

    /// What the services keep their state in.
    enum Store: String, CaseIterable, Sendable {
        case postgres
        case redis
    }

    /// Ends a store at once, as a crash would.
    func kill(_ store: Store) async {
        await blocking {
            switch store {
            case .postgres: self.postgres.stop(.crash)
            case .redis: self.redis.stop(crash: true)
            }
        }
    }

    /// Starts a store that was killed, with its data, and returns when it answers.
    func start(_ store: Store) async throws {
        try await blocking {
            switch store {
            case .postgres: try self.startPostgres()
            case .redis: try self.startRedis()
            }
        }
    }

    /// Returns when the service says that it serves.
    func waitUntilReady(_ service: ServiceName) async throws {
        // One of its own: the shared one may be waiting after failures. This one looks again and again.
        var configuration = ClientConfiguration()
        configuration.backoff = Backoff(initial: .milliseconds(20), maximum: .milliseconds(100))
        let channel = try makeChannel(to: service, control: false, configuration)
        let limit = ContinuousClock.now + .seconds(20)
        while true {
            guard isRunning(service) else {
                throw Failure("\(service.rawValue) ended while it started; see \(folder.log(of: service.rawValue))")
            }
            do {
                // grpc.health.v1.Health/Check of the whole server; SERVING is 1 in field 1.
                let reply = try await channel.unary(
                    "/grpc.health.v1.Health/Check", [], options: CallOptions(timeout: .seconds(1), waitsForReady: true))
                if reply == [0x08, 0x01] { break }
            } catch {
                guard ContinuousClock.now < limit else {
                    throw Failure(
                        "\(service.rawValue) does not answer: \(error); see \(folder.log(of: service.rawValue))")
                }
            }
        }
        await channel.shutDown()
    }

    /// The one way to a service with the operator's certificate; `stop` shuts it down.
    func channel(to service: ServiceName, control: Bool = false) throws -> any RPCChannel {
        try channels.withLock { channels in
            let name = "\(service.rawValue)\(control)"
            if let known = channels[name] { return known }
            let made = try makeChannel(to: service, control: control)
            channels[name] = made
            return made
        }
    }

    private func makeChannel(
        to service: ServiceName, control: Bool, _ configuration: ClientConfiguration = .nearby
    ) throws -> RPCClientChannel {
        RPCClientChannel(
            target: .unix(path: folder.socket(of: service, control: control)),
            tls: try folder.certificates.client(as: "operator", to: service), group: group,
            configuration: configuration)
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    func isRunning(_ service: ServiceName) -> Bool {
        processes.withLock { $0[service] }.map { !$0.process.hasEnded } ?? false
    }

    func logStart(of service: ServiceName) -> UInt64 { processes.withLock { $0[service]?.logStart } ?? 0 }

    func servesMetrics(_ service: ServiceName) -> Bool { settings(of: service)["MERIDIAN_METRICS_LISTEN"] != nil }

    // MARK: Parts

    private func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await BlockingPool.shared.run { Swift.Result { try body() } }.get()
    }

    private func blocking(_ body: @escaping @Sendable () -> Void) async {
        do {
            try await BlockingPool.shared.run(body)
        } catch {
            body()  // The pool is full; an end must not fail, and nobody else needs this thread then.
        }
    }

    private func makeCertificates() throws {
        let home =
            options.home ?? ProcessInfo.processInfo.environment["MERIDIAN_HOME"]
            ?? FileManager.default.currentDirectoryPath
        let script = "\(home)/Certs/generate"
        guard FileManager.default.isExecutableFile(atPath: script) else {
            throw Failure("\(script) is not there; set MERIDIAN_HOME to the repository's folder")
        }
        try ChildProcess.run([script, "\(folder.path)/certs"], logPath: folder.log(of: "certificates"))
    }

    private func startPostgres() throws {
        if let user = ServerAccount.user {
            try ChildProcess.run(["chown", user, folder.runFolder, "\(folder.path)/data", "\(folder.path)/log"])
        }
        if !postgres.isInitialized { try postgres.initialize() }
        try postgres.start()
    }

    private func startRedis() throws {
        let data = folder.data(of: "redis")
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        if let user = ServerAccount.user { try ChildProcess.run(["chown", user, data]) }
        try redis.start()
    }

    private func createDatabases() async throws {
        let client = PostgresClient(
            PostgresConfiguration(host: folder.runFolder, user: "postgres", database: "postgres"), group: group)
        for service in Self.services {
            guard let name = service.databaseName else { continue }
            do {
                // The name comes from our own table; CREATE DATABASE takes no parameters.
                try await client.executeScript("CREATE DATABASE \(name)")
            } catch let error as PostgresError where error.sqlState == .duplicateDatabase {
                continue
            }
        }
        await client.shutDown()
    }

    private static func ownPath() throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }

    private func write(_ settings: [String: String], for service: ServiceName) throws {
        let lines = settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }
        try lines.joined().write(toFile: folder.settings(of: service), atomically: true, encoding: .utf8)
    }

    private func settings(of service: ServiceName) -> [String: String] {
        var settings = [
            "MERIDIAN_LISTEN": "unix:\(folder.socket(of: service))",
            "MERIDIAN_CERTS": "\(folder.path)/certs",
            "MERIDIAN_REDIS": "unix:\(folder.redisSocket)",
            "MERIDIAN_DATA": folder.data(of: service.rawValue),
            "MERIDIAN_LOG_LEVEL": options.logLevel,
            "MERIDIAN_REFLECTION": "true",
        ]
        if let database = service.databaseName {
            settings["MERIDIAN_POSTGRES"] = "host=\(folder.runFolder) user=postgres dbname=\(database)"
        }
        for peer in service.peers {
            settings["MERIDIAN_PEER_\(peer.variable)"] = "unix:\(folder.socket(of: peer))"
        }
        if service == .channel { settings["MERIDIAN_LISTEN"]! += ",\(options.channelListen)" }
        if service == .mockBroker {
            settings["MERIDIAN_CONTROL_LISTEN"] = "unix:\(folder.socket(of: service, control: true))"
        }
        if let first = options.metricsPort, let place = Self.services.firstIndex(of: service) {
            settings["MERIDIAN_METRICS_LISTEN"] = "127.0.0.1:\(first == 0 ? 0 : Int(first) + place)"
        }
        settings.merge(options.settings[service] ?? [:]) { $1 }
        return settings
    }
}
