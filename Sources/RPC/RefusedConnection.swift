/// A connection that a server has not taken, or has ended, because of what its client did or failed to do.
public struct RefusedConnection: Sendable, Hashable {
    /// For metrics: a fixed set.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// One more than the limits allow, in all or from its address. Closed without a word.
        case tooManyConnections = "too_many_connections"
        /// TLS was not agreed on, the client's certificate was refused, or a record was broken.
        case tls
        /// The client's preface did not come in time.
        case silence
        /// HTTP/1.x, which is answered in kind.
        case http1
        /// The first bytes are no HTTP/2.
        case notHTTP2 = "not_http2"
        /// A connection error of RFC 9113.
        case protocolError = "protocol_error"
        /// Too many resets, frames that carry nothing, pings or CONTINUATION frames.
        case flood
        /// A header block was begun and not finished in time.
        case unfinishedHeaders = "unfinished_headers"
        /// Too many requests that are oversized, malformed, bombs, or never finished.
        case badRequests = "bad_requests"
        /// Responses were asked for and not read.
        case unreadResponses = "unread_responses"
    }

    /// Of the client.
    public let address: String
    public let reason: Reason
    /// What the client was told, if it could be told. May quote an error of OpenSSL or nghttp2, never what it sent.
    public let text: String
}
