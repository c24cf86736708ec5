internal import HTTP2
package import RPCCore

/// What a server needs of a request's header fields; all others are stored for whoever asks.
///
/// Source: gRPC over HTTP/2, "Requests".
package struct RequestHead {
    private(set) var store = HeaderStore()
    package private(set) var timeoutNanoseconds: Int64?
    private(set) var timeoutIsMalformed = false
    /// Nil when it is not known here.
    private(set) var encoding: MessageEncoding? = .identity
    private var acceptsGzip = false
    private var acceptsDeflate = false
    /// The beginning of a path that names no method here, for the error.
    var unknownPath: [UInt8]?
    private var isPost = false
    private var contentTypeIsGRPC = false

    package init() {}

    package var metadata: Metadata { store.metadata }

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

    /// Whether the client takes messages in this encoding.
    func accepts(_ encoding: MessageEncoding) -> Bool {
        switch encoding {
        case .identity: true
        case .gzip: acceptsGzip
        case .deflate: acceptsDeflate
        }
    }

    package mutating func receive(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        switch name.count {
        case 2 where name.equals("te"): break
        case 7 where name.equals(":method"): isPost = value.equals("POST")
        case 7 where name.equals(":scheme"): break
        case 10 where name.equals(":authority") || name.equals("user-agent"): break
        case 12 where name.equals("content-type"): contentTypeIsGRPC = isGRPC(value)
        case 12 where name.equals("grpc-timeout"):
            timeoutNanoseconds = TimeoutHeader.decode(value)
            timeoutIsMalformed = timeoutNanoseconds == nil
        case 13 where name.equals("grpc-encoding"): encoding = MessageEncoding(value)
        case 14 where name.equals("content-length"): break
        case 20 where name.equals("grpc-accept-encoding"):
            acceptsGzip = value.listContains("gzip")
            acceptsDeflate = value.listContains("deflate")
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

extension MessageEncoding {
    /// What this side announces that it takes (`grpc-accept-encoding`).
    static let accepted = "identity,gzip,deflate"

    /// Nil when it is not known here.
    init?(_ value: Span<UInt8>) {
        if value.equals("identity") {
            self = .identity
        } else if value.equals("gzip") {
            self = .gzip
        } else if value.equals("deflate") {
            self = .deflate
        } else {
            return nil
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether the items, separated by commas and spaces, have `item` among them.
    func listContains(_ item: StaticString) -> Bool {
        var start = 0
        for index in 0...count {
            if index < count, self[index] != UInt8(ascii: ","), self[index] != UInt8(ascii: " ") { continue }
            if extracting(start..<index).equals(item) { return true }
            start = index + 1
        }
        return false
    }
}
