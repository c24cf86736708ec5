import Protobuf
import RPCCore
import Reflection
import Testing

@testable import meridian

extension StackTests {
    /// Every service tells the operator what it serves, in descriptors that a client can link.
    struct ReflectionTests {
        @Test(.timeLimit(.minutes(2))) func everyServiceTellsItsContractsUnlessItIsTurnedOff() async throws {
            try await TestStack.run(settings: [.fillReceiver: ["MERIDIAN_REFLECTION": "false"]]) { stack in
                for (service, _, schema) in BuiltInContracts.services {
                    let isControl = schema.fullName == "meridian.broker.v1.BrokerControlService"
                    let client = ServerReflectionClient(try stack.channel(to: service, control: isControl))
                    if service == .fillReceiver {
                        let status = await #expect(throws: Status.self) { try await Self.ask(client, for: schema) }
                        #expect(status?.code == .unimplemented)
                    } else {
                        let told = try #require(try await Self.ask(client, for: schema))
                        #expect(told.methods.map(\.name) == schema.methods.map(\.name))
                    }
                }
            }
        }

        /// The service as its server describes it.
        private static func ask(
            _ client: ServerReflectionClient, for service: ServiceSchema
        ) async throws -> ServiceSchema? {
            try await client.serverReflectionInfo(options: CallOptions(timeout: .seconds(10))) { writer, responses in
                try await writer.write(.init(messageRequest: .fileContainingSymbol(service.fullName)))
                var iterator = responses.makeAsyncIterator()
                let answer = try await iterator.next()?.messageResponse
                await writer.finish()
                guard case .fileDescriptorResponse(let files)? = answer else {
                    throw Status(.internal, "\(service.fullName): \(String(describing: answer))")
                }
                let pool = try SchemaPool(
                    files.fileDescriptorProto.map { try Google_Protobuf_FileDescriptorProto(decoding: $0) })
                return pool.service(named: service.fullName)
            }
        }
    }
}
