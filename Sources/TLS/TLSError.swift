internal import COpenSSL

/// Why TLS could not be set up or cannot go on.
public enum TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A certificate, key or list could not be read.
    case configuration(String)
    /// The handshake failed, here or at the peer; the text is OpenSSL's.
    case handshake(String)
    /// The peer's certificate was refused.
    case certificate(String)
    /// The peer does not speak the application protocol that is required.
    case noApplicationProtocol
    /// The connection broke after the handshake.
    case connection(String)

    public var description: String {
        switch self {
        case .configuration(let text): "TLS configuration: \(text)"
        case .handshake(let text): "TLS handshake: \(text)"
        case .certificate(let text): "TLS certificate: \(text)"
        case .noApplicationProtocol: "TLS: no common application protocol"
        case .connection(let text): "TLS: \(text)"
        }
    }

    /// The texts in this thread's queue of OpenSSL, oldest first; empties it.
    static func queuedText(_ fallback: String) -> String {
        var texts: [String] = []
        while case let code = ERR_get_error(), code != 0 {
            if let reason = unsafe ERR_reason_error_string(code) { texts.append(unsafe String(cString: reason)) }
        }
        return texts.isEmpty ? fallback : texts.joined(separator: "; ")
    }
}
