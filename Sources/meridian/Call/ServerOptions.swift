import ArgumentParser
import Foundation
import RPCTool
import TLS

/// How a server is reached: the same for every command that reaches one.
struct ServerOptions: ParsableArguments {
    @Flag(name: .long, help: "Speak in the clear, without TLS; http:// says the same.")
    var plaintext = false

    @Option(
        name: .long, help: "Trust this authority's certificate (PEM file) instead of the system's.", completion: .file()
    )
    var ca: String?

    @Flag(
        name: .long,
        help: ArgumentHelp(
            "Speak TLS and take any certificate. Whoever is in between can read and change everything, headers included.",
            discussion:
                "For trying things out; --ca with the server's own certificate verifies one that no authority issued."
        ))
    var insecure = false

    @Option(name: .long, help: "Show this certificate (PEM file); needs --key.", completion: .file())
    var cert: String?

    @Option(name: .long, help: "The key of --cert (PEM file).", completion: .file())
    var key: String?

    @Option(name: .customLong("server-name"), help: "The name that the server's certificate must bear.")
    var serverName: String?

    @Option(name: .long, help: "What :authority says, instead of the address (localhost over a unix socket).")
    var authority: String?

    @Option(name: .customLong("connect-timeout"), help: "For the look-up, and again for the connection.")
    var connectTimeout: String = "10s"

    @Option(
        name: .customLong("keepalive-time"), help: "Ping the server after this long without a word of it, 10s or more.")
    var keepaliveTime: String?

    @Option(name: .customLong("max-time"), help: "For everything together: 500ms, 5s, 2m.")
    var maxTime: String?

    @Option(
        name: .customLong("max-message-size"), help: "Of one reply, in bytes; K and M multiply by 1024 and its square.")
    var maxMessageSize: String = "4M"

    func validate() throws {
        guard (cert == nil) == (key == nil) else { throw ValidationError("--cert and --key belong together.") }
        guard !plaintext || !wantsTLS else {
            throw ValidationError("--plaintext goes without \(Self.tlsOptions).")
        }
        guard !insecure || ca == nil else { throw ValidationError("--insecure trusts everybody, --ca one authority.") }
        _ = try DurationText.parse(connectTimeout)
        guard try keepaliveTime.map(DurationText.parse) ?? .seconds(10) >= .seconds(10) else {
            throw ValidationError("--keepalive-time is 10s or more: servers end connections that ping more often.")
        }
        _ = try maximumTime()
        _ = try ByteCountText.parse(maxMessageSize)
    }

    private var wantsTLS: Bool { ca != nil || cert != nil || serverName != nil || insecure }

    /// Our own services are reached without ADDRESS over the stack's sockets and with its certificates, whatever is said
    /// about TLS: refuses to say it.
    func checkForOwnServices() throws {
        guard !plaintext, !wantsTLS else {
            throw ValidationError(
                "--plaintext, \(Self.tlsOptions) are for a server whose ADDRESS is given: without one, our own service is "
                    + "reached with the stack's certificates.")
        }
    }

    private static let tlsOptions = "--ca, --cert, --key, --server-name and --insecure"

    /// Nil when nothing limits the whole.
    func maximumTime() throws -> Duration? { try maxTime.map(DurationText.parse) }

    /// How to reach a foreign server: with TLS, unless the scheme or --plaintext says otherwise, or it is a unix socket and
    /// no option is about TLS.
    func settings(for address: ServerAddress) throws -> ServerConnection.Settings {
        guard address.usesTLS != true || !plaintext else {
            throw ValidationError("https:// and --plaintext contradict each other.")
        }
        guard address.usesTLS != false || !wantsTLS else {
            throw ValidationError("http:// goes without \(Self.tlsOptions).")
        }
        let isSecure = address.usesTLS ?? (!plaintext && (wantsTLS || !address.isUnixSocket))
        return try settings(for: address, tls: isSecure ? try tls() : nil)
    }

    func settings(for address: ServerAddress, tls: TLSContext?) throws -> ServerConnection.Settings {
        var settings = ServerConnection.Settings(address: address, tls: tls)
        settings.connectTimeout = try DurationText.parse(connectTimeout)
        settings.authority = authority
        settings.keepaliveTime = try keepaliveTime.map(DurationText.parse)
        settings.maximumMessageBytes = try ByteCountText.parse(maxMessageSize)
        return settings
    }

    private func tls() throws -> TLSContext {
        let identity = cert.flatMap { cert in
            key.map { TLSIdentity(certificateChain: .file(cert), privateKey: .file($0)) }
        }
        do {
            return try TLSContext(
                client: TLSClientConfiguration(
                    identity: identity, trustRoots: ca.map { .file($0) }, serverName: serverName,
                    verification: insecure ? .none : .authorityAndName))
        } catch {
            throw ToolFailure.invalid("TLS cannot be set up: \(error)")
        }
    }
}
