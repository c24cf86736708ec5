import Testing

@testable import meridian

@Suite struct CallTargetTests {
    @Test(arguments: [
        ("channel.PlaceOrder", "/meridian.channel.v1.ChannelService/PlaceOrder", ServiceName.channel),
        ("account-fx.GetBalance", "/meridian.account.v1.AccountService/GetBalance", .accountFX),
        ("account-krw.GetBalance", "/meridian.account.v1.AccountService/GetBalance", .accountKRW),
        ("meridian.fx.v1.FxService/GetExchange", "/meridian.fx.v1.FxService/GetExchange", .fx),
        ("/meridian.fx.v1.FxService/GetExchange", "/meridian.fx.v1.FxService/GetExchange", .fx),
    ])
    func finds(_ name: String, path: String, process: ServiceName) throws {
        let target = try #require(BuiltInContracts.find(name))
        #expect(target.path == path)
        #expect(target.process == process)
        #expect(!target.isControl)
    }

    @Test func knowsTheControlSide() throws {
        let target = try #require(BuiltInContracts.find("mock-broker.SetBehavior"))
        #expect(target.isControl)
    }

    @Test(arguments: ["", "channel", "channel.", "channel.Nothing", "nobody.PlaceOrder", "a.b/PlaceOrder", "/"])
    func findsNothing(_ name: String) { #expect(BuiltInContracts.find(name) == nil) }

    @Test func findsEachNameThatItLists() {
        for name in BuiltInContracts.names { #expect(BuiltInContracts.find(name) != nil, "\(name)") }
    }
}
