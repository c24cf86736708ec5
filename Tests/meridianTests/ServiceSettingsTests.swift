import Configuration
import RPC
import Testing

@testable import meridian

@Suite struct ServiceSettingsTests {
    private func settings(_ variables: [String: String]) -> ServiceSettings {
        let provider = EnvironmentVariablesProvider(environmentVariables: variables)
        return ServiceSettings(reader: ConfigReader(provider: provider).scoped(to: "meridian"))
    }

    @Test(arguments: [
        ("unix:/run/trading.sock", "unix:/run/trading.sock"), ("unix:///run/trading.sock", "unix:/run/trading.sock"),
        ("trading:7443", "dns:trading:7443"), ("dns:///trading.example:7443", "dns:trading.example:7443"),
        ("ipv4:10.0.0.1:7443,10.0.0.2:7443", "ipv4:10.0.0.1:7443,10.0.0.2:7443"),
        ("ipv6:[::1]:7443", "ipv6:[::1]:7443"), ("127.0.0.1:7443", "ipv4:127.0.0.1:7443"),
    ])
    func aPeerIsAnyTarget(_ text: String, _ target: String) throws {
        #expect(try settings(["MERIDIAN_PEER_TRADING": text]).target("peer.trading").description == target)
    }

    @Test(arguments: ["ipv4:trading:7443", "unix:", "dns://10.0.0.53/trading:7443", "trading:seven", "a b"])
    func whatIsNoTargetIsNamedWithItsVariable(_ text: String) {
        let error = #expect(throws: ServiceSettings.Invalid.self) {
            try settings(["MERIDIAN_PEER_TRADING": text]).target("peer.trading")
        }
        #expect(error?.name == "MERIDIAN_PEER_TRADING" && error?.problem.contains(text) == true)
    }

    @Test func aPeerHasToBeNamed() {
        #expect(throws: ServiceSettings.Invalid.self) { try settings([:]).target("peer.trading") }
    }
}
