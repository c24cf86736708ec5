import Protobuf
import RPCCore
import Reflection
import Testing

@testable import meridian

extension StackTests {
    /// Every service tells the operator what it serves, in descriptors that a client can link.
    struct ReflectionTests {
        @Test(.timeLimit(.minutes(2))) func everyServiceTellsItsContracts() async throws {
            try await TestStack.run { stack in
                for (service, schema) in BuiltInContracts.services {
                    guard let service else { continue }
                    let isControl = schema.fullName == "meridian.broker.v1.BrokerControlService"
                    let client = ServerReflectionClient(try stack.channel(to: service, control: isControl))
                    let pool = try await client.serverReflectionInfo(
                        options: CallOptions(timeout: .seconds(10))
                    ) { writer, responses in
                        try await writer.write(.init(messageRequest: .fileContainingSymbol(schema.fullName)))
                        var iterator = responses.makeAsyncIterator()
                        let answer = try await iterator.next()?.messageResponse
                        await writer.finish()
                        guard case .fileDescriptorResponse(let files)? = answer else {
                            throw Status(.internal, "\(schema.fullName): \(String(describing: answer))")
                        }
                        return try SchemaPool(
                            files.fileDescriptorProto.map { try Google_Protobuf_FileDescriptorProto(decoding: $0) })
                    }
                    let told = try #require(pool.service(named: schema.fullName))
                    #expect(told.methods.map(\.name) == schema.methods.map(\.name))
                }
            }
        }
    }
}
