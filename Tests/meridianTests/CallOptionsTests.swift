import ArgumentParser
import RPCCore
import Testing

@testable import meridian

@Suite struct CallOptionsTests {
    @Test(arguments: [
        ([], MessageEncoding.identity), (["--compression", "gzip"], .gzip), (["--compression", "deflate"], .deflate),
        (["--compression", "identity"], .identity),
    ])
    func compressionIsChosenByName(_ options: [String], _ encoding: MessageEncoding) async throws {
        let call = try await Call.asyncParse(["channel.GetBalances"] + options)
        #expect(call.compression.encoding == encoding)
    }

    @Test func anUnknownCompressionIsRefused() async {
        let error = await #expect(throws: (any Error).self) {
            try await Call.asyncParse(["channel.GetBalances", "--compression", "zip"])
        }
        #expect(error.map(Call.message(for:))?.contains("deflate") == true)
    }

    /// Without an address they would say nothing: refused, with what helps.
    @Test(arguments: [
        ["--insecure"], ["--plaintext"], ["--ca", "ca.pem"], ["--cert", "c.pem", "--key", "k.pem"],
        ["--server-name", "channel"],
    ])
    func optionsAboutTLSNeedAnAddress(_ options: [String]) async throws {
        let error = await #expect(throws: (any Error).self) {
            try await Call.asyncParse(["channel.GetBalances"] + options)
        }
        let message = error.map(Call.message(for:)) ?? ""
        #expect(message.contains("--insecure") && message.contains("ADDRESS"), "\(message)")
        _ = try await Call.asyncParse(["unix:/run/channel.sock", "channel.GetBalances"] + options)
    }
}
