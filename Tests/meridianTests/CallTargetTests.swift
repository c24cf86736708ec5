import Protobuf
import RPCTool
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

    @Test(arguments: [
        ("channel", "meridian.channel.v1.ChannelService"),
        ("channel.PlaceOrder", "meridian.channel.v1.ChannelService.PlaceOrder"),
        ("google.rpc.Status", "google.rpc.Status"),
    ])
    func ourNamesStandForFullOnes(_ name: String, _ fullName: String) {
        #expect(BuiltInContracts.fullName(of: name) == fullName)
    }

    /// The files that the generator embedded define every method that can be called.
    @Test func theContractsDescribeWhatTheyList() async throws {
        let source = try BuiltInContracts.source()
        let schema = try await source.everything()
        for name in BuiltInContracts.names {
            let target = try #require(BuiltInContracts.find(name))
            let symbol = try #require(schema.symbol(named: BuiltInContracts.fullName(of: name)), "\(name)")
            let request = try #require(symbol.messageName.flatMap { schema.types.message(named: $0) })
            let template = request.template.text()
            #expect(try target.method.input.bytes(fromJSON: template) == request.bytes(fromJSON: template), "\(name)")
        }
    }
}
