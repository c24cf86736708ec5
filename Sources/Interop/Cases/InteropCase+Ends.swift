internal import Protobuf
internal import RPCCore

/// Calls that the client ends.
extension InteropCase {
    @Sendable static func cancelAfterBegin(_ channel: any RPCChannel) async throws {
        try await channel.withCall(Methods.streamingInputCall.path) { call in
            call.cancel()
            try await expect("the cancelled call", endsWith: .cancelled) { while try await call.receive() != nil {} }
        }
    }

    @Sendable static func cancelAfterFirstResponse(_ channel: any RPCChannel) async throws {
        try await Grpc_Testing_TestServiceClient(channel).fullDuplexCall { requests, responses in
            try await requests.writeIfOpen(.asking(for: 31415, with: 27182))
            var iterator = responses.makeAsyncIterator()
            guard let response = try await iterator.next() else {
                throw Mismatch("the first response", expected: "a message", actual: "the end of the call")
            }
            try expect("payload of the first response", response.payload, zeros: 31415)
            responses.call.cancel()
            try await expect("the cancelled call", endsWith: .cancelled) { while try await iterator.next() != nil {} }
        }
    }

    @Sendable static func timeoutOnSleepingServer(_ channel: any RPCChannel) async throws {
        try await expect("a call with a time-out of 1 ms", endsWith: .deadlineExceeded) {
            let options = CallOptions(timeout: .milliseconds(1))
            try await Grpc_Testing_TestServiceClient(channel).fullDuplexCall(options: options) { requests, responses in
                try await requests.writeIfOpen(Grpc_Testing_StreamingOutputCallRequest(payload: .zeros(27182)))
                // No end of the requests: the server waits for the next.
                for try await _ in responses {}
            }
        }
    }
}
