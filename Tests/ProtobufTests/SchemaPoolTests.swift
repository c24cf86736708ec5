import Foundation
import Protobuf
import TestMessages
import TestSupport
import Testing

@Suite struct SchemaPoolTests {
    /// What protoc itself makes of the test protos, which describe the same types as the generated schemas.
    private static func descriptors(_ files: [String], options: [String] = []) throws -> [UInt8] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let output = FileManager.default.temporaryDirectory.appending(path: "set-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: output) }
        let result = try Program.run(
            "protoc",
            ["-I", root.appending(path: "Protos").path, "-I", "/usr/include", "--include_imports"]
                + options + ["--descriptor_set_out", output.path] + files)
        try #require(result.status == 0, "\(result.errors)")
        return [UInt8](try Data(contentsOf: output))
    }

    private static let pool = Result {
        try SchemaPool(
            fileDescriptorSet: descriptors([
                "test/kinds.proto", "test/well_known.proto", "test/rpc/echo.proto", "google/protobuf/descriptor.proto",
            ]))
    }

    @Test(arguments: Samples.all.indices)
    func schemasFromDescriptorsAgreeWithGeneratedOnes(_ index: Int) throws {
        let sample = Samples.all[index]
        let generated = type(of: sample).schema
        let schema = try #require(try Self.pool.get().message(named: generated.fullName))
        #expect(schema !== generated)
        #expect(Self.description(of: schema) == Self.description(of: generated))
        let bytes = sample.encoded()
        #expect(try DynamicMessage(decoding: bytes, as: schema).encoded() == bytes)
        #expect(try schema.json(decoding: bytes) == sample.jsonString())
        #expect(try schema.bytes(fromJSON: sample.jsonString()) == bytes)
    }

    private static func description(of schema: MessageSchema) -> [String] {
        [schema.fullName] + schema.oneofs
            + schema.fields.map {
                let kind =
                    switch $0.kind {
                    case .message(let schema): "message \(schema().fullName)"
                    case .enum(let schema): "enum \(schema().fullName) \(schema().values)"
                    default: "\($0.kind)"
                    }
                return "\($0.number) \($0.name) \($0.jsonName) \($0.cardinality) \($0.oneof ?? -1) \(kind)"
            }
    }

    @Test func wellKnownTypesWorkFromDescriptors() throws {
        let schema = try #require(try Self.pool.get().message(named: "test.WellKnown"))
        let text =
            #"{"any":{"@type":"x/google.protobuf.Timestamp","value":"1970-01-01T00:00:01Z"},"duration":"2s","#
            + #""mask":"aB","structure":{"k":[1,null,{"x":"y"}]},"int64":"7","null":null}"#
        #expect(try schema.json(decoding: schema.bytes(fromJSON: text)) == text.replacing(#","null":null"#, with: ""))
    }

    @Test func servicesAreThere() throws {
        let pool = try Self.pool.get()
        let service = try #require(pool.service(named: "test.rpc.EchoService"))
        #expect(service.methods.map(\.name) == ["Echo", "Repeat", "Join", "Converse", "Channel"])
        let converse = try #require(service.method(named: "Converse"))
        #expect(converse.clientStreams && converse.serverStreams)
        #expect(converse.input === pool.message(named: "test.rpc.EchoRequest"))
        #expect(pool.services.map(\.fullName) == ["test.rpc.EchoService"])
    }

    /// The largest real message at hand, coded by our own generated types.
    @Test func descriptorsThemselvesComeBack() throws {
        let bytes = try Self.descriptors(["test/kinds.proto"], options: ["--include_source_info"])
        let set = try Google_Protobuf_FileDescriptorSet(decoding: bytes)
        #expect(set.file.last?.name == "test/kinds.proto")
        #expect(try Google_Protobuf_FileDescriptorSet(decoding: set.encoded()) == set)
        let schema = try #require(try Self.pool.get().message(named: "google.protobuf.FileDescriptorSet"))
        #expect(try DynamicMessage(decoding: bytes, as: schema).encoded() == set.encoded())
        #expect(try Google_Protobuf_FileDescriptorSet(json: set.jsonString()) == set)
    }

    @Test func faultyDescriptorsAreRefused() {
        typealias Field = Google_Protobuf_FieldDescriptorProto
        func pool(_ fields: [Field]) throws -> SchemaPool {
            try SchemaPool([
                Google_Protobuf_FileDescriptorProto(
                    name: "a.proto", package: "a",
                    messageType: [Google_Protobuf_DescriptorProto(name: "M", field: fields)], syntax: "proto3")
            ])
        }
        #expect(throws: Never.self) { try pool([Field(name: "x", number: 1, type: .int32)]) }
        for fields in [
            [Field(name: "x", number: 0, type: .int32)],
            [Field(name: "x", number: 1 << 29, type: .int32)],
            [Field(name: "x", number: 1, type: .int32), Field(name: "y", number: 1, type: .int32)],
            [Field(name: "x", number: 1, type: .message, typeName: ".a.Missing")],
            [Field(name: "x", number: 1, type: .enum, typeName: ".a.Missing")],
            [Field(name: "x", number: 1)],
            [Field(name: "x", number: 1, type: .int32, oneofIndex: 3)],
        ] {
            #expect(throws: SchemaError.self) { try pool(fields) }
        }
        #expect(throws: SchemaError.self) { try SchemaPool(fileDescriptorSet: [0xff]) }
        var random = SplitMix(seed: 5)
        guard let bytes = try? Self.descriptors(["test/kinds.proto"]) else { return }
        for _ in 0..<300 {
            var changed = bytes
            for _ in 0..<3 {
                changed[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            // Whatever comes of it, it does not trap, not even when the types are used.
            guard let pool = try? SchemaPool(fileDescriptorSet: changed) else { continue }
            for name in pool.messageNames {
                _ = pool.message(named: name).map { try? DynamicMessage(decoding: Samples.scalars.encoded(), as: $0) }
            }
        }
    }

    @Test func aLongChainOfTypesIsHarmless() throws {
        let count = 20_000
        let messages = (0..<count).map { index in
            Google_Protobuf_DescriptorProto(
                name: "M\(index)",
                field: index + 1 < count
                    ? [.init(name: "next", number: 2, label: .optional, type: .message, typeName: ".M\(index + 1)")]
                    : [])
        }
        let pool = try SchemaPool([.init(name: "a.proto", messageType: messages, syntax: "proto3")])
        let schema = try #require(pool.message(named: "M0"))
        #expect(throws: Never.self) { try DynamicMessage(decoding: HostileInputTests.nested(100), as: schema) }
        #expect(throws: ProtobufError.nestedTooDeep(message: "M0", limit: 100)) {
            try DynamicMessage(decoding: HostileInputTests.nested(10_000), as: schema)
        }
    }
}
