package import RPC

/// Where a server is, as people write it: what `Endpoint` reads, or `http://host:port` and `https://host:port`.
package struct ServerAddress: Sendable, Hashable {
    package let endpoint: Endpoint
    /// What the scheme says about TLS; nil when there is none.
    package let usesTLS: Bool?

    /// Nil for anything else. Without a port, http means 80 and https 443.
    package init?(_ text: String) {
        for (scheme, port, usesTLS) in [("http://", 80, false), ("https://", 443, true)] where text.hasPrefix(scheme) {
            var rest = text.dropFirst(scheme.count)
            if rest.last == "/" { rest.removeLast() }
            guard !rest.contains("/") else { return nil }
            let hasPort = rest.last != "]" && rest.contains(":")
            guard let endpoint = Endpoint(hasPort ? String(rest) : "\(rest):\(port)") else { return nil }
            self.endpoint = endpoint
            self.usesTLS = usesTLS
            return
        }
        guard let endpoint = Endpoint(text) else { return nil }
        self.endpoint = endpoint
        usesTLS = nil
    }

    /// Whether a word on the command line is meant as an address: names of services and methods have no colon.
    package static func isMeant(by word: String) -> Bool { word.contains(":") }

    package var isUnixSocket: Bool {
        if case .tcp = endpoint { false } else { true }
    }

    /// The name that a certificate or an entry in `.netrc` bears.
    package var host: String {
        switch endpoint {
        case .tcp(let host, _): host
        default: "localhost"
        }
    }
}
