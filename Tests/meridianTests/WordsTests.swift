import ArgumentParser
import RPCTool
import Testing

@testable import meridian

@Suite struct WordsTests {
    @Test(
        arguments: [
            (["channel.PlaceOrder"], nil, "channel.PlaceOrder"), (["localhost:1"], "localhost:1", nil),
            (["http://h:1", "a.B/C"], "h:1", "a.B/C"), (["unix:/run/x", "C"], "unix:/run/x", "C"), ([], nil, nil),
        ] as [([String], String?, String?)])
    func anAddressHasAColon(_ words: [String], _ address: String?, _ name: String?) throws {
        let read = try Words(words, nameIsCalled: "METHOD")
        #expect(read.address.map { "\($0.endpoint)" } == address)
        #expect(read.name == name)
    }

    @Test(arguments: [["a", "b"], ["h:1", "a", "b"], ["h:", "a"], ["http://h/path", "a"]])
    func refuses(_ words: [String]) {
        #expect(throws: ValidationError.self) { try Words(words, nameIsCalled: "METHOD") }
    }

    @Test(arguments: [("1", 1), ("4096", 4096), ("64K", 65536), ("4M", 4 << 20), ("1G", 1 << 30)])
    func sizes(_ text: String, _ bytes: Int) throws { #expect(try ByteCountText.parse(text) == bytes) }

    @Test(arguments: ["", "0", "-1", "2G", "4m", "K", "1.5M", "9999999999999999999", "٣"])
    func noSizes(_ text: String) {
        #expect(throws: ValidationError.self) { try ByteCountText.parse(text) }
    }

    @Test(arguments: [
        ["call"], ["call", "a", "b"], ["call", "h:1", "a", "--plaintext", "--ca", "x"],
        ["call", "h:1", "a", "--cert", "x"],
        ["call", "a", "-d", "@-", "-H", "@-"], ["call", "a", "--proto", "p", "--reflection"], ["call", "a", "-I", "p"],
        ["call", "a", "--max-time", "0s"], ["call", "a", "--max-message-size", "0"], ["call", "a", "--format", "xml"],
        ["call", "a", "--user", "u", "--netrc"], ["call", "h:1", "a", "--keepalive-time", "9s"],
        ["describe", "--template"], ["list", "a", "b"],
        ["bench", "rpc", "a"], ["bench", "rpc", "h:1"], ["bench", "rpc", "h:1", "a", "--rate", "0"],
        ["bench", "rpc", "h:1", "a", "--rate", "1", "--steps", "1,2"], ["bench", "rpc", "h:1", "a", "--ramp-to", "5"],
        ["bench", "rpc", "h:1", "a", "--duration", "2h"], ["bench", "rpc", "h:1", "a", "--steps", "1,,2"],
        ["bench", "rpc", "h:1", "a", "--concurrency", "0"],
        ["bench", "rpc", "h:1", "a", "--rate", "1", "--concurrency", "2"],
    ])
    func argumentsThatContradictEachOtherAreRefused(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try Meridian.parseAsRoot(arguments) }
    }

    @Test(arguments: [
        ["call", "channel.GetOrder"],
        ["call", "-vv", "h:1", "a.B/C", "-d", "@-", "-H", "a: b", "-H", "@f", "--format", "text"],
        ["list"], ["list", "--methods"], ["call", "h:1", "a", "--keepalive-time", "10s"],
        ["describe", "h:1", "a", "--template"],
        ["list", "--proto", "a.proto", "-I", "x"],
        ["bench", "rpc", "http://h:1", "a", "--rate", "10", "--ramp-to", "0.5"],
        ["bench", "rpc", "unix:/x", "a", "--steps", "1,2", "--warm-up", "0s", "--requests", "9"],
    ])
    func argumentsThatFitAreTaken(_ arguments: [String]) throws { _ = try Meridian.parseAsRoot(arguments) }
}
