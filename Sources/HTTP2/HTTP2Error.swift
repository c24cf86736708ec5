internal import CNGHTTP2

/// The code in RST_STREAM and GOAWAY. Source: RFC 9113 section 7.
public struct HTTP2ErrorCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let noError = HTTP2ErrorCode(rawValue: 0x0)
    public static let protocolError = HTTP2ErrorCode(rawValue: 0x1)
    public static let internalError = HTTP2ErrorCode(rawValue: 0x2)
    public static let flowControlError = HTTP2ErrorCode(rawValue: 0x3)
    public static let refusedStream = HTTP2ErrorCode(rawValue: 0x7)
    public static let cancel = HTTP2ErrorCode(rawValue: 0x8)
    public static let enhanceYourCalm = HTTP2ErrorCode(rawValue: 0xb)
}

/// Why a session can no longer be used: the peer broke the protocol or floods us, or memory ran out.
public struct HTTP2Error: Error, Hashable, CustomStringConvertible {
    /// What the peer is told by GOAWAY.
    public let code: HTTP2ErrorCode
    public let description: String

    public init(_ code: HTTP2ErrorCode, _ description: String) {
        self.code = code
        self.description = description
    }

    /// - Parameter libraryCode: negative, of nghttp2.
    init(libraryCode: Int) {
        let number = nghttp2_error(rawValue: Int32(libraryCode))
        code =
            switch number {
            case NGHTTP2_ERR_FLOODED, NGHTTP2_ERR_TOO_MANY_CONTINUATIONS, NGHTTP2_ERR_TOO_MANY_SETTINGS:
                .enhanceYourCalm
            case NGHTTP2_ERR_NOMEM, NGHTTP2_ERR_CALLBACK_FAILURE: .internalError
            default: .protocolError
            }
        description = unsafe String(cString: nghttp2_strerror(Int32(libraryCode)))
    }
}
