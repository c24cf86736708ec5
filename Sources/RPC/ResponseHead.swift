package import RPCCore

/// What a client needs of a response's header and trailer fields; all others are stored for whoever asks.
///
/// Source: gRPC over HTTP/2, "Responses".
package struct ResponseHead {
    private(set) var store = HeaderStore()
    private var httpStatus = 0
    private var contentTypeIsGRPC = false
    private var code: Int?
    private var message = ""
    private var details: [UInt8] = []
    /// Nil when it is not known here.
    private(set) var encoding: MessageEncoding? = .identity

    package init() {}

    package mutating func receive(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        switch name.count {
        case 7 where name.equals(":status"): httpStatus = Self.number(value) ?? 0
        case 11 where name.equals("grpc-status"): code = Self.number(value) ?? Status.Code.unknown.rawValue
        case 12 where name.equals("content-type"): contentTypeIsGRPC = value.starts(with: "application/grpc")
        case 12 where name.equals("grpc-message"): message = PercentEncoding.decode(value.array)
        case 13 where name.equals("grpc-encoding"): encoding = MessageEncoding(value)
        case 20 where name.equals("grpc-accept-encoding"): break
        case 23 where name.equals("grpc-status-details-bin"): details = Base64.decode(value.array) ?? []
        default: store.append(name, value)
        }
    }

    /// Forgets an interim response.
    mutating func reset() { self = ResponseHead() }

    /// What the end of the stream means after these fields; nil when they carry no status and are fine so far.
    package func status(atEnd: Bool) -> Status? {
        if let code {
            return Status(
                Status.Code(rawValue: code) ?? .unknown, message, details: details, metadata: store.metadata)
        }
        if httpStatus != 200, httpStatus != 0 {
            return Status(
                Status.Code(httpStatus: httpStatus), "HTTP status \(httpStatus) instead of a gRPC response",
                certainty: .unknown)
        }
        if httpStatus == 200, !contentTypeIsGRPC {
            return Status(.unknown, "the response is not gRPC", certainty: .unknown)
        }
        guard atEnd else { return nil }
        return Status(.unknown, "the response ended without a status", certainty: .unknown)
    }

    private static func number(_ text: Span<UInt8>) -> Int? {
        guard (1...3).contains(text.count) else { return nil }
        var number = 0
        for index in text.indices {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index]) else { return nil }
            number = number * 10 + Int(text[index] - UInt8(ascii: "0"))
        }
        return number
    }
}
