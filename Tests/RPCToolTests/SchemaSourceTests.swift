import Foundation
import Protobuf
import RPCCore
import Reflection
import TestSupport
import Testing

@testable import RPCTool

@Suite struct SchemaSourceTests {
    // MARK: Files

    @Test func protoFilesAreFoundByTheirFolders() async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let text = "syntax = \"proto3\";\npackage p;\nmessage M { string a = 1; }\n"
        try Data(text.utf8).write(to: URL(filePath: "\(folder.path)/m.proto"))
        let source = try ProtoCompiler().compile(["\(folder.path)/m.proto"], importPaths: [])
        let schema = try await source.schema(of: "p.M")
        #expect(schema.files.map(\.name) == ["m.proto"])
    }

    @Test func aMistakeInAFileIsNamedWithItsLine() throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        try Data("syntax = \"proto3\";\nmessage M { text a = 1; }\n".utf8)
            .write(to: URL(filePath: "\(folder.path)/m.proto"))
        let failure = #expect(throws: ToolFailure.self) {
            try ProtoCompiler().compile(["m.proto"], importPaths: [folder.path])
        }
        #expect(failure?.exitCode == 3)
        #expect(failure?.description.contains("m.proto:2:13: \"text\" is not defined.") == true, "\(failure as Any)")
    }

    @Test func aMissingCompilerIsNamed() throws {
        let failure = #expect(throws: ToolFailure.self) {
            try ProtoCompiler(program: "no-such-protoc").compile(["m.proto"], importPaths: [])
        }
        #expect(failure?.exitCode == 3)
        #expect(failure?.description.hasPrefix("no-such-protoc is not there.") == true, "\(failure as Any)")
    }

    @Test func aCompilerThatHangsIsEnded() throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let program = "\(folder.path)/protoc"
        try Data("#!/bin/sh\nexec tail -f /dev/null\n".utf8).write(to: URL(filePath: program))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        let failure = #expect(throws: ToolFailure.self) {
            try ProtoCompiler(program: program, limit: .milliseconds(200)).compile(["m.proto"], importPaths: [])
        }
        #expect(failure?.description.contains("did not end within") == true, "\(failure as Any)")
    }

    @Test(arguments: [
        (["a.proto"], [], ["-I."]),
        (["x/a.proto"], [], ["-I."]),
        (["/x/a.proto", "/x/b.proto", "../y/c.proto"], [], ["-I.", "-I/x", "-I../y"]),
        (["a.proto"], ["p", "q"], ["-Ip", "-Iq"]),
    ])
    func importPaths(_ files: [String], _ paths: [String], _ expected: [String]) {
        let arguments = ProtoCompiler.arguments(files, importPaths: paths, output: "o")
        #expect(arguments.prefix { $0.hasPrefix("-I") } == expected[...])
        #expect(arguments.suffix(files.count) == files[...])
    }

    @Test func aSavedSetIsReadAgain() async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let schema = try await Protos.schema()
        try SavedSchema.writeSet(schema, to: "\(folder.path)/set")
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(folder.path)/set")))
        let source = try SchemaFiles(descriptorSets: [("set", bytes)])
        #expect(try await source.everything().files == schema.files)
        #expect(try await source.serviceNames() == ["test.tool.Shop"])
    }

    @Test func aSetWithoutAnImportIsRefused() async throws {
        let file = try #require(try await Protos.schema().files.first { $0.name == "test/tool/tool.proto" })
        let set = Google_Protobuf_FileDescriptorSet(file: [file]).encoded()
        let failure = #expect(throws: ToolFailure.self) { try SchemaFiles(descriptorSets: [("set", set)]) }
        #expect(
            failure?.description == "set: test/tool/tool.proto imports google/protobuf/any.proto, which is not there.")
        let other = #expect(throws: ToolFailure.self) { try SchemaFiles(descriptorSets: [("text", Array("no".utf8))]) }
        #expect(other?.description.hasPrefix("text is no descriptor set") == true)
    }

    @Test func filesThatImportThemselvesAreRefused() throws {
        let files = [("a", "b"), ("b", "c"), ("c", "a")].map {
            Google_Protobuf_FileDescriptorProto(name: $0.0, dependency: [$0.1])
        }
        let failure = #expect(throws: ToolFailure.self) { try Schema(files, from: "test") }
        #expect(failure?.description == "test: a imports itself through c.")
    }

    @Test(arguments: ["../a.proto", "/a.proto", "a/../b.proto", "a//b.proto", "", "a\0b"])
    func aSchemaCannotBeSavedOutsideItsFolder(_ name: String) throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let good = Google_Protobuf_FileDescriptorProto(name: "good.proto")
        let schema = try Schema([good, Google_Protobuf_FileDescriptorProto(name: name)], from: "test")
        #expect(throws: ToolFailure.self) { try SavedSchema.writeProtos(schema, below: folder.path) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test(arguments: [
        "test.tool.Shop/Find", "/test.tool.Shop/Find", "test.tool.Shop.Find", "Shop/Find", "Shop.Find",
        "tool.Shop/Find",
        "Find",
    ])
    func aMethodIsFound(_ name: String) async throws {
        let found = try await Protos.compiled.get().method(name)
        #expect(found.method.path == "/test.tool.Shop/Find")
    }

    @Test(arguments: [
        "", "/", "a/b/c", "test.tool.Shop/", "test.tool.Shop/Nothing", "hop/Find", "Nothing/Find", "find",
    ])
    func aMethodIsNotFound(_ name: String) async throws {
        await #expect(throws: ToolFailure.self) { try await Protos.compiled.get().method(name) }
    }

    // MARK: Reflection

    @Test(arguments: ["grpc.reflection.v1", "grpc.reflection.v1alpha"])
    func aServerTellsOfItselfInEitherVersion(_ version: String) async throws {
        let source = ReflectionSource(ReflectionFake(answering: [version]), target: "there")
        #expect(try await source.serviceNames().contains("test.tool.Shop"))
        #expect(source.version == version)
        let schema = try await source.schema(of: "test.tool.Shop/Find")
        #expect(schema.method(named: "Chat", of: "test.tool.Shop")?.schema.clientStreams == true)
        #expect(schema.files.contains { $0.name == "google/protobuf/any.proto" })
        let everything = try await source.everything()
        #expect(everything.serviceNames.contains("grpc.reflection.v1.ServerReflection"))
    }

    @Test(arguments: [
        Status(.unimplemented, "unknown service"), Status(.unauthenticated, "HTTP status 401"),
        Status(.internal, "the server reset the stream"), Status(.unavailable, "the proxy is full"),
        Status(.notFound, "no route"), Status(.unknown, "not gRPC"), Status(.permissionDenied), .ok,
    ])
    func anyRefusalLeadsToTheOlderVersion(_ refusal: Status) async throws {
        let channel = ReflectionFake(answering: ["grpc.reflection.v1alpha"], refusal: refusal)
        let source = ReflectionSource(channel, target: "there")
        #expect(try await source.schema(of: "test.tool.Part").types.message(named: "test.tool.Part") != nil)
        #expect(source.version == "grpc.reflection.v1alpha")
    }

    @Test func bothRefusalsAreTold() async throws {
        let source = ReflectionSource(
            ReflectionFake(answering: [], refusal: Status(.unauthenticated, "HTTP status 401")), target: "there")
        let failure = await #expect(throws: ToolFailure.self) { try await source.serviceNames() }
        #expect(failure?.exitCode == 3)
        #expect(
            failure?.description
                == "the reflection of there is not to be had: grpc.reflection.v1 was answered with UNAUTHENTICATED: HTTP "
                + "status 401; grpc.reflection.v1alpha was answered with UNAUTHENTICATED: HTTP status 401.")
    }

    @Test func aSymbolThatTheServerDoesNotKnowIsNoRefusal() async throws {
        let source = ReflectionSource(ReflectionFake(answering: ["grpc.reflection.v1"]), target: "there")
        let failure = await #expect(throws: ToolFailure.self) { try await source.schema(of: "no.Such") }
        #expect(failure?.exitCode == 3)
        #expect(failure?.description.contains("said NOT_FOUND") == true, "\(failure as Any)")
        #expect(source.version == "grpc.reflection.v1")
    }

    @Test func withoutAConnectionNoOtherVersionIsTried() async throws {
        let refusal = Status(.unavailable, "no connection to there: refused", certainty: .notProcessed)
        let channel = ReflectionFake(answering: ["grpc.reflection.v1alpha"], refusal: refusal)
        let failure = await #expect(throws: ToolFailure.self) {
            try await ReflectionSource(channel, target: "there").serviceNames()
        }
        #expect(failure?.exitCode == 2)
        #expect(failure?.description == "no connection to there: refused")
    }

    @Test func questionsCarryTheirMetadata() async throws {
        let channel = ReflectionFake(answering: ["grpc.reflection.v1"], needing: ["authorization": "Bearer x"])
        let source = ReflectionSource(channel, target: "there", metadata: ["authorization": "Bearer x"])
        #expect(try await source.serviceNames().isEmpty == false)
        await #expect(throws: ToolFailure.self) { try await ReflectionSource(channel, target: "there").serviceNames() }
    }
}
