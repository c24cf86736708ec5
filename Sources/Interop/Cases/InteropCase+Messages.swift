internal import Protobuf
internal import RPCCore

/// The four shapes of calls.
extension InteropCase {
    typealias Methods = Grpc_Testing_TestServiceMethods

    static let largeRequest = 271_828
    static let largeResponse = 314_159
    private static let requestSizes = [27182, 8, 1828, 45904]
    private static let responseSizes = [31415, 9, 2653, 58979]

    @Sendable static func emptyUnary(_ channel: any RPCChannel) async throws {
        // By its bytes: an empty message has none.
        let response = try await channel.unary(
            Methods.emptyCall.path, Grpc_Testing_Empty().encoded(), options: .defaults)
        try expect("size of the response of EmptyCall", response.count, is: 0)
    }

    @Sendable static func largeUnary(_ channel: any RPCChannel) async throws {
        try await largeUnary(channel, requestBytes: largeRequest, responseBytes: largeResponse)
    }

    static func largeUnary(_ channel: any RPCChannel, requestBytes: Int, responseBytes: Int) async throws {
        let response = try await Grpc_Testing_TestServiceClient(channel).unaryCall(
            Grpc_Testing_SimpleRequest(responseSize: Int32(responseBytes), payload: .zeros(requestBytes)))
        try expect("the response's payload", response.payload, zeros: responseBytes)
    }

    @Sendable static func clientStreaming(_ channel: any RPCChannel) async throws {
        let response = try await Grpc_Testing_TestServiceClient(channel).streamingInputCall { requests in
            for size in requestSizes {
                try await requests.write(Grpc_Testing_StreamingInputCallRequest(payload: .zeros(size)))
            }
        }
        try expect("aggregated_payload_size", response.aggregatedPayloadSize, is: 74922)
    }

    @Sendable static func serverStreaming(_ channel: any RPCChannel) async throws {
        let request = Grpc_Testing_StreamingOutputCallRequest(
            responseParameters: responseSizes.map { Grpc_Testing_ResponseParameters(size: Int32($0)) })
        try await Grpc_Testing_TestServiceClient(channel).streamingOutputCall(request) { responses in
            var count = 0
            for try await response in responses {
                if count < responseSizes.count {
                    try expect("payload of response \(count + 1)", response.payload, zeros: responseSizes[count])
                }
                count += 1
            }
            try expect("number of responses", count, is: responseSizes.count)
        }
    }

    @Sendable static func pingPong(_ channel: any RPCChannel) async throws {
        try await Grpc_Testing_TestServiceClient(channel).fullDuplexCall { requests, responses in
            var responses = responses.makeAsyncIterator()
            for (index, (requestSize, responseSize)) in zip(requestSizes, responseSizes).enumerated() {
                try await requests.writeIfOpen(.asking(for: responseSize, with: requestSize))
                guard let response = try await responses.next() else {
                    throw Mismatch("response \(index + 1)", expected: "a message", actual: "the end of the call")
                }
                try expect("payload of response \(index + 1)", response.payload, zeros: responseSize)
            }
            await requests.finish()
            try expect("whether more responses came", try await responses.next() != nil, is: false)
        }
    }

    @Sendable static func emptyStream(_ channel: any RPCChannel) async throws {
        try await Grpc_Testing_TestServiceClient(channel).fullDuplexCall { requests, responses in
            await requests.finish()
            var responses = responses.makeAsyncIterator()
            try expect("whether a response came", try await responses.next() != nil, is: false)
        }
    }
}

extension Grpc_Testing_StreamingOutputCallRequest {
    /// One response of so many bytes, with a payload of so many.
    static func asking(for responseSize: Int, with requestSize: Int) -> Self {
        Self(
            responseParameters: [Grpc_Testing_ResponseParameters(size: Int32(responseSize))],
            payload: .zeros(requestSize))
    }
}

extension RequestWriter {
    /// As `write`; when the server has ended the call already, what it sent is for the reader to judge.
    func writeIfOpen(_ message: Message) async throws {
        do { try await write(message) } catch is CallEnded {}
    }
}
