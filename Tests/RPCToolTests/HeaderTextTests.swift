import RPCCore
import Testing

@testable import RPCTool

@Suite struct HeaderTextTests {
    @Test(arguments: [
        ("name: value", "name", "value"), ("Name:value", "name", "value"), ("a:  b:c  ", "a", "b:c"), ("a:", "a", ""),
        (" spaced : x", "spaced", "x"),
    ])
    func reads(_ line: String, _ key: String, _ value: String) throws {
        var metadata = Metadata()
        try HeaderText.append(line, to: &metadata)
        #expect(metadata.count == 1 && metadata[key] == value)
    }

    @Test func binaryValuesAreBase64() throws {
        var metadata = Metadata()
        try HeaderText.append("x-bin: AAH/", to: &metadata)
        try HeaderText.append("x-bin: AA==", to: &metadata)
        #expect(metadata.values(for: "x-bin") == [.bytes([0, 1, 255]), .bytes([0])])
    }

    @Test(arguments: [
        "no colon", "", ":authority: x", "te: trailers", "grpc-timeout: 1S", "a b: c", "é: x", "a: é", "x-bin: %%%",
    ])
    func refuses(_ line: String) {
        var metadata = Metadata()
        let failure = #expect(throws: ToolFailure.self) { try HeaderText.append(line, to: &metadata) }
        #expect(failure?.exitCode == 64)
        #expect(metadata.isEmpty)
    }

    @Test func aSecretIsNotRepeatedInAnError() {
        var metadata = Metadata()
        let failure = #expect(throws: ToolFailure.self) { try HeaderText.append("Bearer s3cret", to: &metadata) }
        #expect(failure?.description.contains("s3cret") == false)
    }

    @Test func aFileHasALineForEach() {
        #expect(HeaderText.lines(in: "a: 1\r\n\n  # no\nb: 2") == ["a: 1", "b: 2"])
    }

    @Test(arguments: [
        ("a: $X", "a: one"), ("a: ${X}y", "a: oney"), ("a: $X$Y", "a: onetwo"), ("a: $$X", "a: $X"), ("a: b", "a: b"),
        ("$X", "one"), ("${E}", ""),
    ])
    func putsVariablesIn(_ text: String, _ expected: String) throws {
        #expect(try HeaderText.expand(text, from: ["X": "one", "Y": "two", "E": ""]) == expected)
    }

    @Test(arguments: ["$Z", "${Z}", "$", "a $ b", "${X", "${}", "${X-Y}"])
    func refusesVariablesThatAreNone(_ text: String) {
        #expect(throws: ToolFailure.self) { try HeaderText.expand(text, from: ["X": "one"]) }
    }

    @Test func basicAuthenticationIsThatOfTheRFC() {
        // RFC 7617 section 2.
        #expect(
            HeaderText.basic(user: "Aladdin", password: "open sesame")
                == "authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        #expect(HeaderText.basic(user: "a", password: "b") == "authorization: Basic YTpi")
        #expect(HeaderText.basic(user: "a", password: "") == "authorization: Basic YTo=")
    }

    @Test func secretsAreNotShown() throws {
        var metadata: Metadata = ["authorization": "Bearer x", "x-id": "7"]
        try metadata.append([0, 255], for: "x-bin")
        #expect(metadata.map(HeaderText.shown) == ["authorization: (not shown)", "x-id: 7", "x-bin: AP8"])
    }

    @Test func netrcHasAnEntryForEachHost() throws {
        let netrc = try Netrc(
            """
            # a comment
            machine a.example login alice password p1
            machine b.example
                login bob
                password p2 account x
            macdef init
            machine not.this login nobody

            default login anyone password any
            """)
        #expect(netrc.login(for: "a.example") == Netrc.Login(user: "alice", password: "p1"))
        #expect(netrc.login(for: "b.example") == Netrc.Login(user: "bob", password: "p2"))
        #expect(netrc.login(for: "not.this") == Netrc.Login(user: "anyone", password: "any"))
        #expect(try Netrc("").login(for: "a") == nil)
        #expect(try Netrc("machine a login b").login(for: "c") == nil)
        #expect(throws: ToolFailure.self) { try Netrc("machine") }
        #expect(throws: ToolFailure.self) { try Netrc("nonsense") }
    }

    @Test(arguments: [
        ("localhost:50051", "localhost:50051", Bool?.none), ("http://h:1", "h:1", false), ("https://h", "h:443", true),
        ("http://h/", "h:80", false), ("https://[::1]", "[::1]:443", true), ("https://[::1]:5/", "[::1]:5", true),
        ("unix:/run/x", "unix:/run/x", nil), ("unix:///run/x", "unix:/run/x", nil), ("dns:///h:9", "h:9", nil),
    ])
    func addresses(_ text: String, _ endpoint: String, _ usesTLS: Bool?) throws {
        let address = try #require(ServerAddress(text))
        #expect("\(address.endpoint)" == endpoint)
        #expect(address.usesTLS == usesTLS)
        #expect(ServerAddress.isMeant(by: text))
    }

    @Test(arguments: ["", "h", "h:", "h:x", "http://h/path", "http://", "https://:1", "h:70000", "unix:"])
    func noAddresses(_ text: String) { #expect(ServerAddress(text) == nil) }
}
