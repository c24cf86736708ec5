import Protobuf
import RPC
import RPCCore
import TestSupport
import Testing

@testable import Reflection

private typealias Request = ReflectionServerReflectionRequest
private typealias Response = ReflectionServerReflectionResponse

/// Asks one question after the other on one stream, and gives the answers.
private func ask(
    _ questions: [Request], _ channel: some RPCChannel, version: String = "v1"
) async throws -> [Response] {
    let method = MethodDescriptor(
        service: "grpc.reflection.\(version).ServerReflection", method: "ServerReflectionInfo", shape: .bidirectional,
        request: ServerReflectionMethods.serverReflectionInfo.request,
        response: ServerReflectionMethods.serverReflectionInfo.response)
    return try await channel.bidirectional(method, options: CallOptions(timeout: .seconds(20))) { writer, responses in
        var iterator = responses.makeAsyncIterator()
        var answers: [Response] = []
        for question in questions {
            try await writer.write(question)
            answers.append(try #require(try await iterator.next()))
        }
        await writer.finish()
        #expect(try await iterator.next() == nil)
        return answers
    }
}

extension Response {
    /// The names of the files, in order; nil if the answer is of another kind.
    fileprivate func fileNames() throws -> [String]? {
        guard case .fileDescriptorResponse(let files)? = messageResponse else { return nil }
        return try files.fileDescriptorProto.map { bytes in
            try #require(try Google_Protobuf_FileDescriptorProto(decoding: bytes).name)
        }
    }
}

struct ReflectionTests {
    private static let catalog = "test/reflection/catalog.proto"
    private static let options = "test/reflection/options.proto"
    private static let part = "test/reflection/part.proto"
    private static let timestamp = "google/protobuf/timestamp.proto"
    private static let descriptor = "google/protobuf/descriptor.proto"

    @Test(arguments: ["v1", "v1alpha"]) func listsTheServices(_ version: String) async throws {
        try await Fixture.run { _, channel in
            let question = Request(host: "here", messageRequest: .listServices("*"))
            let answers = try await ask([question], channel, version: version)
            let names = [
                "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection", "test.reflection.Catalog", "test.reflection.Clock",
            ]
            let services = ReflectionListServiceResponse(service: names.map { ReflectionServiceResponse(name: $0) })
            #expect(
                answers == [
                    Response(
                        validHost: "here", originalRequest: question, messageResponse: .listServicesResponse(services))
                ])
        }
    }

    @Test(
        arguments: [
            ("test.reflection.Catalog", catalog), (".test.reflection.Catalog", catalog),
            ("test.reflection.Catalog.Find", catalog), ("test.reflection.Clock", catalog),
            ("test.reflection.FindRequest.Filter", catalog), ("test.reflection.FindRequest.Filter.states", catalog),
            ("test.reflection.Part", part), ("test.reflection.Part.name", part), ("test.reflection.Part.origin", part),
            ("test.reflection.Part.State", part), ("test.reflection.Part.STATE_SOLD", part),
            ("test.reflection.audience", options), ("google.protobuf.Timestamp", timestamp),
            ("grpc.health.v1.UNKNOWN", nil), ("test.reflection.Part.State.STATE_SOLD", nil), ("test.reflection", nil),
            ("", nil), (".", nil), ("test.reflection.catalog", nil), ("test.reflection.Catalog.Find.x", nil),
        ] as [(String, String?)])
    func symbolsAreFound(_ symbol: String, in file: String?) async throws {
        try await Fixture.run { _, channel in
            let answer = try await ask([Request(messageRequest: .fileContainingSymbol(symbol))], channel)[0]
            if let file {
                #expect(try answer.fileNames()?.first == file)
            } else {
                let error = ReflectionErrorResponse(
                    errorCode: 5, errorMessage: "symbol \(symbol) is not known here")
                #expect(answer.messageResponse == .errorResponse(error))
            }
        }
    }

    /// What a stream has been given, it need not be given again; but each question gets at least the file it asks for.
    @Test func filesComeWithTheirImportsOnce() async throws {
        try await Fixture.run { _, channel in
            let questions = [
                Request(messageRequest: .fileByFilename(Self.part)),
                Request(messageRequest: .fileContainingSymbol("test.reflection.Clock")),
                Request(messageRequest: .fileContainingSymbol("test.reflection.Clock")),
                Request(
                    messageRequest: .fileContainingExtension(
                        ReflectionExtensionRequest(
                            containingType: "google.protobuf.MethodOptions", extensionNumber: 50002))),
            ]
            let answers = try await ask(questions, channel)
            #expect(answers.map(\.originalRequest) == questions)
            #expect(
                try answers.map { try $0.fileNames() } == [
                    [Self.part, Self.timestamp], [Self.catalog, Self.options, Self.descriptor], [Self.catalog],
                    [Self.options],
                ])
        }
    }

    @Test func extensionsAreCounted() async throws {
        try await Fixture.run { _, channel in
            func numbers(_ type: String) -> Request { Request(messageRequest: .allExtensionNumbersOfType(type)) }
            let types = ["google.protobuf.MethodOptions", "test.reflection.Part", "test.reflection.Catalog"]
            let answers = try await ask(types.map(numbers), channel)
            #expect(
                answers.map(\.messageResponse) == [
                    .allExtensionNumbersResponse(
                        ReflectionExtensionNumberResponse(baseTypeName: types[0], extensionNumber: [50001, 50002])),
                    .allExtensionNumbersResponse(ReflectionExtensionNumberResponse(baseTypeName: types[1])),
                    .errorResponse(
                        ReflectionErrorResponse(
                            errorCode: 5, errorMessage: "message test.reflection.Catalog is not known here")),
                ])
        }
    }

    @Test func everyMissIsAnAnswerAndTheStreamGoesOn() async throws {
        try await Fixture.run { _, channel in
            let answers = try await ask(
                [
                    Request(messageRequest: .fileByFilename("nobody.proto")),
                    Request(
                        messageRequest: .fileContainingExtension(
                            ReflectionExtensionRequest(
                                containingType: "google.protobuf.MethodOptions", extensionNumber: 1))),
                    Request(), Request(messageRequest: .fileByFilename(Self.timestamp)),
                ], channel)
            let codes: [Int32?] = answers.map { answer in
                guard case .errorResponse(let error)? = answer.messageResponse else { return nil }
                return error.errorCode
            }
            #expect(codes == [5, 5, 3, nil])
        }
    }

    /// The two versions differ in the package's name alone, which is why one handler can answer both.
    @Test func bothVersionsAreTheSameOnTheWire() throws {
        func outline(_ service: ServiceDescriptor, version: String) throws -> Google_Protobuf_FileDescriptorProto {
            let bytes = try #require(service.files.last)
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.contains("grpc.reflection.\(version)."))
            var file = try Google_Protobuf_FileDescriptorProto(decoding: bytes)
            (file.name, file.package, file.options) = (nil, nil, nil)
            func rename(_ name: inout String?) { name = name?.replacing(".\(version).", with: ".v.") }
            for message in file.messageType.indices {
                for field in file.messageType[message].field.indices {
                    rename(&file.messageType[message].field[field].typeName)
                }
            }
            rename(&file.service[0].method[0].inputType)
            rename(&file.service[0].method[0].outputType)
            return file
        }
        let stable = try outline(ServerReflectionMethods.service, version: "v1")
        let alpha = try outline(Grpc_Reflection_V1alpha_ServerReflectionMethods.service, version: "v1alpha")
        #expect(stable == alpha)
    }

    /// What generated code carries is what protoc says, byte for byte, options that nobody here knows included.
    @Test func descriptorsAreExact() throws {
        let root = Repository.path
        let result = try Program.run(
            "protoc",
            [
                "-I", "\(root)/Protos", "-I", "/usr/include", "--include_imports", "--descriptor_set_out=/dev/stdout",
                Self.catalog,
            ])
        try #require(result.status == 0, "\(result.errors)")
        var expected: [UInt8] = []
        for file in CatalogMethods.service.files {
            // As in a FileDescriptorSet: field 1, length, file.
            expected.append(0x0a)
            var count = file.count
            while count >= 0x80 {
                expected.append(UInt8(truncatingIfNeeded: count) | 0x80)
                count >>= 7
            }
            expected.append(UInt8(count))
            expected += file
        }
        #expect([UInt8](result.output) == expected)
        #expect(CatalogMethods.service.files == ClockMethods.service.files)
        _ = try SchemaPool(fileDescriptorSet: expected)
    }
}
