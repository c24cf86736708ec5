internal import Protobuf
internal import RPCCore

/// Compression, for each message by itself.
extension InteropCase {
    private static let gzip = CallOptions(encoding: .gzip)

    @Sendable static func clientCompressedUnary(_ channel: any RPCChannel) async throws {
        let client = Grpc_Testing_TestServiceClient(channel)
        func request(compressed: Bool) -> Grpc_Testing_SimpleRequest {
            Grpc_Testing_SimpleRequest(
                responseSize: Int32(largeResponse), payload: .zeros(largeRequest),
                expectCompressed: Grpc_Testing_BoolValue(value: compressed))
        }
        // Does the server look at all? Here it is told what is not so.
        try await expect("the probe, which claims to be compressed", endsWith: .invalidArgument) {
            _ = try await client.unaryCall(request(compressed: true))
        }
        let compressed = try await client.unaryCall(request(compressed: true), options: gzip)
        try expect("payload after a compressed request", compressed.payload, zeros: largeResponse)
        let plain = try await client.unaryCall(request(compressed: false))
        try expect("payload after an uncompressed request", plain.payload, zeros: largeResponse)
    }

    @Sendable static func serverCompressedUnary(_ channel: any RPCChannel) async throws {
        for wanted in [true, false] {
            let request = Grpc_Testing_SimpleRequest(
                responseSize: Int32(largeResponse), payload: .zeros(largeRequest),
                responseCompressed: Grpc_Testing_BoolValue(value: wanted))
            let answer = try await SingleExchange(channel, request)
            try expect("whether the response is compressed", answer.wasCompressed, is: wanted)
            try expect("payload with response_compressed \(wanted)", answer.response.payload, zeros: largeResponse)
        }
    }

    @Sendable static func clientCompressedStreaming(_ channel: any RPCChannel) async throws {
        let client = Grpc_Testing_TestServiceClient(channel)
        func request(_ size: Int, compressed: Bool) -> Grpc_Testing_StreamingInputCallRequest {
            Grpc_Testing_StreamingInputCallRequest(
                payload: .zeros(size), expectCompressed: Grpc_Testing_BoolValue(value: compressed))
        }
        try await expect("the probe, which claims to be compressed", endsWith: .invalidArgument) {
            _ = try await client.streamingInputCall(options: gzip) { requests in
                try await requests.write(request(27182, compressed: true), compressing: false)
            }
        }
        let response = try await client.streamingInputCall(options: gzip) { requests in
            try await requests.write(request(27182, compressed: true))
            try await requests.write(request(45904, compressed: false), compressing: false)
        }
        try expect("aggregated_payload_size", response.aggregatedPayloadSize, is: 73086)
    }

    @Sendable static func serverCompressedStreaming(_ channel: any RPCChannel) async throws {
        let wanted = [(size: 31415, isCompressed: true), (size: 92653, isCompressed: false)]
        let request = Grpc_Testing_StreamingOutputCallRequest(
            responseParameters: wanted.map {
                Grpc_Testing_ResponseParameters(
                    size: Int32($0.size), compressed: Grpc_Testing_BoolValue(value: $0.isCompressed))
            })
        try await channel.withCall(Methods.streamingOutputCall.path) { call in
            try await call.send(request.encoded())
            await call.finishSending()
            for (index, wanted) in wanted.enumerated() {
                guard let message = try await call.receiveMessage() else {
                    throw Mismatch("response \(index + 1)", expected: "a message", actual: "the end of the call")
                }
                let response = try Methods.streamingOutputCall.response.decode(message.bytes)
                try expect("payload of response \(index + 1)", response.payload, zeros: wanted.size)
                try expect(
                    "whether response \(index + 1) is compressed", message.wasCompressed, is: wanted.isCompressed)
            }
            try expect("whether more responses came", try await call.receive() != nil, is: false)
        }
    }
}

/// One UnaryCall with all that came beside the response.
struct SingleExchange {
    let response: Grpc_Testing_SimpleResponse
    let wasCompressed: Bool
    let initialMetadata: Metadata
    let trailingMetadata: Metadata

    init(
        _ channel: any RPCChannel, _ request: Grpc_Testing_SimpleRequest, options: CallOptions = .defaults
    ) async throws {
        let method = InteropCase.Methods.unaryCall
        self = try await channel.withCall(method.path, options: options) { call in
            try await call.send(request.encoded())
            await call.finishSending()
            let initial = try await call.initialMetadata()
            guard let message = try await call.receiveMessage() else {
                throw Mismatch("response of UnaryCall", expected: "a message", actual: "the end of the call")
            }
            try expect("whether more responses came", try await call.receive() != nil, is: false)
            return SingleExchange(
                response: try method.response.decode(message.bytes), wasCompressed: message.wasCompressed,
                initialMetadata: initial, trailingMetadata: call.trailingMetadata)
        }
    }

    private init(
        response: Grpc_Testing_SimpleResponse, wasCompressed: Bool, initialMetadata: Metadata,
        trailingMetadata: Metadata
    ) {
        self.response = response
        self.wasCompressed = wasCompressed
        self.initialMetadata = initialMetadata
        self.trailingMetadata = trailingMetadata
    }
}
