internal import HTTP2
internal import RPCCore

extension HeaderBlock {
    mutating func append(_ metadata: Metadata) {
        for element in metadata {
            switch element.value {
            case .text(let text): append(element.key, text, isSensitive: element.key == "authorization")
            case .bytes(let bytes): append(element.key, Base64.encode(bytes))
            }
        }
    }

    /// `grpc-status` and what belongs to it.
    mutating func append(_ status: Status, trailing metadata: Metadata) {
        append("grpc-status", String(status.code.rawValue))
        if !status.message.isEmpty { append("grpc-message", PercentEncoding.encode(status.message)) }
        if !status.details.isEmpty { append("grpc-status-details-bin", Base64.encode(status.details)) }
        append(status.metadata)
        append(metadata)
    }
}
