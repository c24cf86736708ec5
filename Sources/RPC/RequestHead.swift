internal import HTTP2

/// What a server needs of a request's header fields; all others are stored for whoever asks.
///
/// Source: gRPC over HTTP/2, "Requests".
struct RequestHead {
    private(set) var store = HeaderStore()
    private(set) var timeout: [UInt8]?
    private(set) var encodingIsKnown = true
    /// The beginning of a path that names no method here, for the error.
    var unknownPath: [UInt8] = []
    private var isPost = false
    private var contentTypeIsGRPC = false

    /// Why the request is HTTP, but not gRPC.
    enum Problem {
        case methodIsNotPost
        case contentTypeIsNotGRPC

        var headers: HeaderBlock {
            var block = HeaderBlock()
            switch self {
            case .methodIsNotPost:
                block.append(":status", "405")
                block.append("allow", "POST")
            case .contentTypeIsNotGRPC:
                block.append(":status", "415")
                block.append("accept-post", "application/grpc")
            }
            block.append("content-length", "0")
            return block
        }
    }

    var problem: Problem? {
        if !isPost { return .methodIsNotPost }
        if !contentTypeIsGRPC { return .contentTypeIsNotGRPC }
        return nil
    }

    mutating func receive(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        switch name.count {
        case 2 where name.equals("te"): break
        case 7 where name.equals(":method"): isPost = value.equals("POST")
        case 7 where name.equals(":scheme"): break
        case 10 where name.equals(":authority") || name.equals("user-agent"): break
        case 12 where name.equals("content-type"): contentTypeIsGRPC = isGRPC(value)
        case 12 where name.equals("grpc-timeout"): timeout = value.array
        case 13 where name.equals("grpc-encoding"): encodingIsKnown = value.equals("identity")
        case 14 where name.equals("content-length"): break
        default: store.append(name, value)
        }
    }

    /// `application/grpc`, alone or followed by a subtype or parameters.
    private func isGRPC(_ value: Span<UInt8>) -> Bool {
        guard value.starts(with: "application/grpc") else { return false }
        guard value.count > 16 else { return true }
        return value[16] == UInt8(ascii: "+") || value[16] == UInt8(ascii: ";")
    }
}
