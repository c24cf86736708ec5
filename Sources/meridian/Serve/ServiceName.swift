import Accounts
import ArgumentParser
import BrokerGateway
import Channel
import FXSaga
import FillReceiver
import Trading

/// The services, as their certificates name them.
enum ServiceName: String, CaseIterable, ExpressibleByArgument, Sendable {
    case channel
    case trading
    case brokerGateway = "broker-gateway"
    case fillReceiver = "fill-receiver"
    case accountKRW = "account-krw"
    case accountFX = "account-fx"
    case fx
    case mockBroker = "mock-broker"

    /// As in the names of settings: MERIDIAN_PEER_ACCOUNT_KRW.
    var variable: String { rawValue.uppercased().split(separator: "-").joined(separator: "_") }

    /// Its own database; the mock broker keeps its truth in a file.
    var databaseName: String? {
        switch self {
        case .channel: Channel.databaseName
        case .trading: "meridian_trading"
        case .brokerGateway: BrokerGateway.databaseName
        case .fillReceiver: FillReceiver.databaseName
        case .accountKRW: "meridian_account_krw"
        case .accountFX: "meridian_account_fx"
        case .fx: "meridian_fx"
        case .mockBroker: nil
        }
    }

    /// The services it calls.
    var peers: [ServiceName] {
        switch self {
        case .channel: [.trading, .accountKRW, .accountFX]
        case .trading: [.brokerGateway, .accountFX, .fx]
        case .brokerGateway, .fillReceiver: [.mockBroker]
        case .fx: [.accountKRW, .accountFX]
        case .accountKRW, .accountFX, .mockBroker: []
        }
    }
}
