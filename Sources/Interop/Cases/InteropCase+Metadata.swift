internal import Protobuf
internal import RPCCore

/// What goes beside the messages: metadata and status.
extension InteropCase {
    private static let initialValue = "test_initial_metadata_value"
    private static let trailingValue: [UInt8] = [0xAB, 0xAB, 0xAB]

    @Sendable static func customMetadata(_ channel: any RPCChannel) async throws {
        var metadata = Metadata()
        try metadata.append(initialValue, for: InteropService.initialKey)
        try metadata.append(trailingValue, for: InteropService.trailingKey)
        let options = CallOptions(metadata: metadata)

        let answer = try await SingleExchange(
            channel, Grpc_Testing_SimpleRequest(responseSize: Int32(largeResponse), payload: .zeros(largeRequest)),
            options: options)
        try expect("payload of UnaryCall", answer.response.payload, zeros: largeResponse)
        try check("UnaryCall", answer.initialMetadata, answer.trailingMetadata)

        try await Grpc_Testing_TestServiceClient(channel).fullDuplexCall(options: options) { requests, responses in
            try await requests.writeIfOpen(.asking(for: largeResponse, with: largeRequest))
            await requests.finish()
            let initial = try await responses.initialMetadata()
            var count = 0
            for try await response in responses {
                try expect("payload of FullDuplexCall", response.payload, zeros: largeResponse)
                count += 1
            }
            try expect("number of responses", count, is: 1)
            try check("FullDuplexCall", initial, responses.trailingMetadata)
        }
    }

    private static func check(_ method: String, _ initial: Metadata, _ trailing: Metadata) throws {
        try expect(
            "\(InteropService.initialKey) in the initial metadata of \(method)",
            initial.values(for: InteropService.initialKey), is: [.text(initialValue)])
        try expect(
            "\(InteropService.trailingKey) in the trailing metadata of \(method)",
            trailing.values(for: InteropService.trailingKey), is: [.bytes(trailingValue)])
    }

    // MARK: Status

    @Sendable static func statusCodeAndMessage(_ channel: any RPCChannel) async throws {
        let client = Grpc_Testing_TestServiceClient(channel)
        let status = Grpc_Testing_EchoStatus(
            code: Int32(Status.Code.unknown.rawValue), message: "test status message")
        try await expect("UnaryCall", endsWith: .unknown, message: status.message) {
            _ = try await client.unaryCall(Grpc_Testing_SimpleRequest(responseStatus: status))
        }
        try await expect("FullDuplexCall", endsWith: .unknown, message: status.message) {
            try await client.fullDuplexCall { requests, responses in
                try await requests.writeIfOpen(Grpc_Testing_StreamingOutputCallRequest(responseStatus: status))
                await requests.finish()
                for try await _ in responses {}
            }
        }
    }

    @Sendable static func specialStatusMessage(_ channel: any RPCChannel) async throws {
        let status = Grpc_Testing_EchoStatus(
            code: Int32(Status.Code.unknown.rawValue),
            message: "\t\ntest with whitespace\r\nand Unicode BMP \u{263A} and non-BMP \u{1F608}\t\n")
        try await expect("UnaryCall", endsWith: .unknown, message: status.message) {
            _ = try await Grpc_Testing_TestServiceClient(channel).unaryCall(
                Grpc_Testing_SimpleRequest(responseStatus: status))
        }
    }

    @Sendable static func unimplementedMethod(_ channel: any RPCChannel) async throws {
        try await expect("TestService/UnimplementedCall", endsWith: .unimplemented) {
            _ = try await Grpc_Testing_TestServiceClient(channel).unimplementedCall(Grpc_Testing_Empty())
        }
    }

    @Sendable static func unimplementedService(_ channel: any RPCChannel) async throws {
        try await expect("UnimplementedService/UnimplementedCall", endsWith: .unimplemented) {
            _ = try await Grpc_Testing_UnimplementedServiceClient(channel).unimplementedCall(Grpc_Testing_Empty())
        }
    }
}
