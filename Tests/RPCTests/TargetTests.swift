import EventLoop
import RPCCore
import Testing

@testable import RPC

@Test(arguments: [
    ("localhost:50051", "dns:localhost:50051", "localhost:50051"),
    ("localhost", "dns:localhost:443", "localhost:443"),
    ("dns:svc.test", "dns:svc.test:443", "svc.test:443"),
    ("dns:svc.test:81", "dns:svc.test:81", "svc.test:81"),
    ("dns:///svc.test:81", "dns:svc.test:81", "svc.test:81"),
    ("10.0.0.1:80", "ipv4:10.0.0.1:80", "10.0.0.1:80"),
    ("[::1]:80", "ipv6:[::1]:80", "[::1]:80"),
    ("::1", "ipv6:[::1]:443", "[::1]:443"),
    ("ipv4:10.0.0.1:80", "ipv4:10.0.0.1:80", "10.0.0.1:80"),
    ("ipv4:10.0.0.1", "ipv4:10.0.0.1", "10.0.0.1:443"),
    ("ipv4:10.0.0.1:80,10.0.0.2:81", "ipv4:10.0.0.1:80,10.0.0.2:81", "10.0.0.1:80"),
    ("ipv6:[fe80::1]:80,[::2]", "ipv6:[fe80::1]:80,[::2]", "[fe80::1]:80"),
    ("unix:run/x.sock", "unix:run/x.sock", "localhost"), ("unix:/run/x.sock", "unix:/run/x.sock", "localhost"),
    ("unix:///run/x.sock", "unix:/run/x.sock", "localhost"),
    ("unix:////run/x.sock", "unix:////run/x.sock", "localhost"),  // unix://run/x.sock would be refused.
    ("unix-abstract:meridian", "unix-abstract:meridian", "localhost"),
])
func targetsAreRead(_ text: String, _ description: String, _ authority: String) throws {
    let target = try Target(text)
    #expect(target.description == description && target.authority == authority)
}

@Test func listsHoldTheirAddresses() throws {
    guard case .fixed(let addresses) = try Target("ipv4:10.0.0.1:80,10.0.0.2").source else {
        Issue.record("a list is fixed")
        return
    }
    #expect(addresses == [.ipv4(host: "10.0.0.1", port: 80), .ipv4(host: "10.0.0.2", port: 443)])
    let target = try Target("ipv4:10.0.0.1:80,10.0.0.2")
    #expect(target.serverName(at: addresses[1]) == "10.0.0.2")
    #expect(Target(addresses: addresses, authority: "svc.test:80").serverName(at: addresses[1]) == "svc.test")
}

@Test(arguments: [
    ("", "no host"), ("dns:", "no host"), ("dns:host:port", "\"port\" is no port"),
    ("host:70000", "\"70000\" is no port"),
    ("dns://8.8.8.8/host:1", "a DNS server"), ("ipv4:host:1", "\"host:1\" is no ipv4 address"),
    ("ipv4:[::1]:1", "no ipv4 address"), ("ipv6:10.0.0.1:1", "no ipv6 address"), ("ipv4:10.0.0.1:1,", "no host"),
    ("unix:", "the path is missing"), ("unix://x", "absolute"), ("unix-abstract:", "the name is missing"),
    ("host:+5", "\"+5\" is no port"), ("h\u{f6}st:5", "no host"),
    // An accent after a colon is one character with it.
    ("\u{6d8}host:5", "no host"), ("dns:\u{6d8}host:5", "no host"), ("unix://\u{301}x", "absolute"),
    ("[::1]x", "only a port"), ("a:b:c", "neither"), ("http://x", "\"//x\" is no port"),
])
func badTargetsAreExplained(_ text: String, _ problem: String) {
    let error = #expect(throws: TargetError.self) { try Target(text) }
    #expect(error?.description.contains(problem) == true, "\(error.map(\.description) ?? "none")")
}

@Test func endpointsAreTargetsOfOnePlace() {
    #expect(
        Endpoint("dns:///a:1") == .tcp(host: "a", port: 1)
            && Endpoint("ipv4:1.2.3.4:5") == .tcp(host: "1.2.3.4", port: 5))
    #expect(Endpoint("[::1]:5") == .tcp(host: "::1", port: 5) && Endpoint("unix:/x") == .unix(path: "/x"))
    #expect(Endpoint("unix-abstract:x") == .abstract(name: "x"))
    #expect(Endpoint("host") == nil && Endpoint("ipv4:1.2.3.4:5,1.2.3.4:6") == nil && Endpoint("") == nil)
}

@Test func theFamiliesTakeTurns() {
    let four = (1...3).map { SocketAddress.ipv4(host: "10.0.0.\($0)", port: 1) }
    let six = (1...2).map { SocketAddress.ipv6(host: "::\($0)", port: 1) }
    #expect(ConnectRace.interleaved(six + four) == [six[0], four[0], six[1], four[1], four[2]])
    #expect(ConnectRace.interleaved(four + six) == [four[0], six[0], four[1], six[1], four[2]])
    #expect(ConnectRace.interleaved(four) == four && ConnectRace.interleaved([]) == [])
}

@Test func everyKindOfTargetIsReached() async throws {
    let name = "meridian-rpc-\(UInt32.random(in: .min ... .max))"
    try await Fixture.run { fixture in
        let port = try #require(fixture.address.port)
        for target in ["localhost:\(port)", "dns:///localhost:\(port)", "ipv4:127.0.0.1:1,127.0.0.1:\(port)"] {
            let answer = try await withChannel(to: Target(target)) { try await $0.unary(Methods.echo, target) }
            #expect(answer == target)
        }
    }
    try await Fixture.run(at: .abstract(name: name)) { fixture in
        #expect(fixture.address == .abstract(name: name))
        let answer = try await withChannel(to: Target("unix-abstract:\(name)")) {
            try await $0.unary(Methods.echo, "abstract")
        }
        #expect(answer == "abstract")
    }
    try await Fixture.run(at: .unix(path: "/tmp/\(name).sock")) { fixture in
        let answer = try await withChannel(to: Target("unix:///tmp/\(name).sock")) {
            try await $0.unary(Methods.echo, "unix")
        }
        #expect(answer == "unix")
    }
}

@Test func aNameWithoutAddressesIsAnError() async throws {
    try await withChannel(to: Target("no-such-name.invalid:1"), .hasty) { channel in
        let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
        #expect(status?.message.contains("dns:no-such-name.invalid:1") == true, "\(status.map(\.message) ?? "")")
    }
}
