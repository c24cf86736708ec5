import Accounts
import BrokerGateway
import Channel
import Cryptography
import Domain
import FXSaga
import FillReceiver
import Foundation
import MockBroker
import Postgres
import RPC
import RPCCore
import Redis
import RedisEventBus
import ServiceKit
import Synchronization
import Trading

/// Picks stores, transport and bus for a service, and makes it. The one place that knows all services.
final class ServiceResources: Sendable {
    private let service: ServiceName
    private let settings: ServiceSettings
    private let environment: ServiceEnvironment
    private let certificates: Certificates
    private let postgres = Mutex<PostgresClient?>(nil)
    private let redis = Mutex<RedisClient?>(nil)
    private let channels = Mutex<[RPCClientChannel]>([])

    init(
        service: ServiceName, settings: ServiceSettings, environment: ServiceEnvironment, certificates: Certificates
    ) {
        self.service = service
        self.settings = settings
        self.environment = environment
        self.certificates = certificates
    }

    /// Connects, migrates, and makes the service.
    func makeParts() async throws -> ServiceProcess.Parts {
        switch service {
        case .channel: return try await makeChannel()
        case .trading: return try await makeTrading()
        case .brokerGateway: return try await makeGateway()
        case .fillReceiver: return try await makeReceiver()
        case .accountKRW: return try await makeAccounts(.krw)
        case .accountFX: return try await makeAccounts(.fx)
        case .fx: return try await makeFX()
        case .mockBroker: return try makeMockBroker()
        }
    }

    /// After the service has stopped.
    func shutDown() async {
        for channel in channels.withLock({ $0 }) { await channel.shutDown() }
        await redis.withLock { $0 }?.shutDown()
        await postgres.withLock { $0 }?.shutDown()
    }

    // MARK: Means

    private func database(_ migrations: [Migration]) async throws -> PostgresClient {
        var limits = PostgresLimits()
        limits.connectionsPerLoop = try settings.integer("postgres.connections", default: 8, in: 1...100)
        let client = PostgresClient(
            try PostgresConfiguration(connectionInfo: try settings.text("postgres")), group: environment.group,
            limits: limits)
        postgres.withLock { $0 = client }
        try await Migrator.migrate(client, to: migrations, environment: environment)
        return client
    }

    private func redisClient() throws -> RedisClient {
        let text = try settings.text("redis")
        guard let endpoint = RedisEndpoint(text) else {
            throw ServiceSettings.Invalid(
                name: "MERIDIAN_REDIS", problem: "\"\(text)\" is neither unix:PATH nor host:port")
        }
        let client = RedisClient(endpoint: endpoint, group: environment.group)
        redis.withLock { $0 = client }
        return client
    }

    private func bus() throws -> RedisEventBus { RedisEventBus(try redisClient()) }

    private func channel(to peer: ServiceName) throws -> any RPCChannel {
        var configuration = ClientConfiguration.nearby
        configuration.meter = RPCMetrics(environment.metrics)
        let channel = RPCClientChannel(
            target: try settings.target("peer.\(peer.rawValue)"),
            tls: try certificates.client(as: service.rawValue, to: peer), group: environment.group,
            configuration: configuration)
        channels.withLock { $0.append(channel) }
        return channel.intercepted(by: [ClientObservation()])
    }

    // MARK: Services

    private func makeChannel() async throws -> ServiceProcess.Parts {
        let path = "\(certificates.folder)/tokens.pem"
        guard let pem = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ServiceSettings.Invalid(name: "MERIDIAN_CERTS", problem: "\(path) cannot be read")
        }
        let channel = Channel(
            configuration: ChannelConfiguration(), environment: environment,
            postgres: try await database(Channel.migrations), tokenKey: try Ed25519PublicKey(pem: pem),
            trading: try self.channel(to: .trading), wonLedger: try self.channel(to: .accountKRW),
            dollarLedger: try self.channel(to: .accountFX))
        return ServiceProcess.Parts(services: channel.rpcServices, run: channel.run)
    }

    private func makeGateway() async throws -> ServiceProcess.Parts {
        var configuration = BrokerGatewayConfiguration()
        configuration.concurrencyPerBroker = try settings.integer("broker.concurrency", default: 64, in: 1...10_000)
        let adapter = ContractAdapter(
            brokerID: "mock", channel: try channel(to: .mockBroker), timeout: configuration.brokerTimeout)
        let gateway = BrokerGateway(
            configuration: configuration, environment: environment,
            postgres: try await database(BrokerGateway.migrations), adapters: [adapter])
        return ServiceProcess.Parts(services: gateway.rpcServices) {
            // Its work is done by calls; in the background it has nothing to do until it is stopped.
            while !Task.isCancelled { try await Task.sleep(for: .seconds(3600)) }
        }
    }

    private func makeReceiver() async throws -> ServiceProcess.Parts {
        let bus = try bus()
        let receiver = FillReceiver(
            configuration: FillReceiverConfiguration(), environment: environment,
            postgres: try await database(FillReceiver.migrations), publisher: bus, subscriber: bus,
            brokers: [("mock", try channel(to: .mockBroker))])
        return ServiceProcess.Parts(services: receiver.rpcServices, run: receiver.run)
    }

    private func makeMockBroker() throws -> ServiceProcess.Parts {
        let folder = try settings.text("data")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return ServiceProcess.Parts(
            try MockBroker(MockBrokerConfiguration(journalPath: "\(folder)/broker.journal"), environment))
    }

    private func makeAccounts(_ configuration: AccountsConfiguration) async throws -> ServiceProcess.Parts {
        let redis = try redisClient()
        let bus = RedisEventBus(redis)
        let accounts = AccountsService(
            configuration: configuration, environment: environment,
            postgres: try await database(AccountsService.migrations), redis: redis, publisher: bus, subscriber: bus)
        return ServiceProcess.Parts(services: accounts.rpcServices, run: accounts.run)
    }

    private func makeFX() async throws -> ServiceProcess.Parts {
        let bus = try bus()
        var configuration = FXSagaConfiguration()
        configuration.instance = settings.instance(of: .fx)
        let fx = FXSagaService(
            configuration: configuration, environment: environment,
            postgres: try await database(FXSagaService.migrations), publisher: bus, subscriber: bus,
            krw: try channel(to: .accountKRW), fx: try channel(to: .accountFX))
        return ServiceProcess.Parts(services: fx.rpcServices, run: fx.run)
    }

    private func makeTrading() async throws -> ServiceProcess.Parts {
        let bus = try bus()
        let trading = TradingService(
            configuration: try TradingSettings(settings).configuration(), environment: environment,
            postgres: try await database(TradingService.migrations), subscriber: bus, publisher: bus,
            gateway: try channel(to: .brokerGateway), account: try channel(to: .accountFX), fx: try channel(to: .fx))
        return ServiceProcess.Parts(services: trading.rpcServices, run: trading.run)
    }
}

extension ServiceProcess.Parts {
    init(_ broker: MockBroker) {
        self.init(
            services: broker.rpcServices, controlServices: broker.controlServices, attach: { broker.attach($0) },
            run: broker.run)
    }
}
