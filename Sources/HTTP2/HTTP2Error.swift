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

/// Why a session can no longer be used: the peer broke the protocol, or memory ran out.
public struct HTTP2Error: Error, Hashable, CustomStringConvertible {
    /// The library's number, negative.
    public let code: Int

    init(_ code: Int) { self.code = code }
    init(_ code: Int32) { self.code = Int(code) }

    public var description: String { unsafe String(cString: nghttp2_strerror(Int32(code))) }
}
