import Foundation
import Protobuf
import TestSupport
import Testing

@testable import RPCTool

@Suite struct ProtoSourceTests {
    /// Everything that is under Protos, and the descriptors themselves, which are proto2.
    @Test func printedFilesMeanTheSameToProtoc() async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let all = try FileManager.default.subpathsOfDirectory(atPath: Protos.folder).filter { $0.hasSuffix(".proto") }
        let files = all.sorted() + ["google/protobuf/descriptor.proto", "google/protobuf/struct.proto"]
        let before = try await ProtoCompiler().compile(files, importPaths: [Protos.folder, "/usr/include"]).everything()
        let written = try SavedSchema.writeProtos(before, below: folder.path)
        #expect(written.count == before.files.count && written.count > 20)
        let after = try await ProtoCompiler().compile(files, importPaths: [folder.path]).everything()
        try #require(after.files.map(\.name) == before.files.map(\.name))
        for (old, new) in zip(before.files, after.files) {
            let (old, new) = (Self.comparable(old), Self.comparable(new))
            let source = try ProtoSource.text(of: old, in: before)
            #expect(old == new, "\(source)")
        }
    }

    /// Without comments, and with nested types in an order of their own: a source tells theirs, a descriptor does not.
    private static func comparable(
        _ file: Google_Protobuf_FileDescriptorProto
    ) -> Google_Protobuf_FileDescriptorProto {
        var file = file
        file.sourceCodeInfo = nil
        file.messageType = comparable(file.messageType)
        return file
    }

    private static func comparable(_ messages: [Google_Protobuf_DescriptorProto]) -> [Google_Protobuf_DescriptorProto] {
        messages.map { message in
            var message = message
            message.nestedType = comparable(message.nestedType)
            return message
        }.sorted { ($0.name ?? "") < ($1.name ?? "") }
    }

    @Test(arguments: [
        (
            "test.tool.Shop", "a service",
            """
            // What a shop sells.
            service Shop {
              // Finds one part.
              rpc Find(.test.tool.FindRequest) returns (.test.tool.Part) {
                option idempotency_level = NO_SIDE_EFFECTS;
                option (test.tool.route) = {
                  path: "/v1/parts/{name}"
                  verbs: "GET"
                  verbs: "HEAD"
                  weights {
                    key: "a"
                    value: 1
                  }
                };
              }

              // Lists parts as they are found.
              rpc List(.test.tool.ListRequest) returns (stream .test.tool.Part);

              // Adds the prices of the parts that are sent.
              rpc Sum(stream .test.tool.Part) returns (.test.tool.Total);

              // Answers each request with its part.
              rpc Chat(stream .test.tool.FindRequest) returns (stream .test.tool.Part);
            }
            """
        ),
        (
            ".test.tool.Shop/List", "a method",
            """
            // Lists parts as they are found.
            rpc List(.test.tool.ListRequest) returns (stream .test.tool.Part);
            """
        ),
        (
            "test.tool.Part", "a message",
            """
            message Part {
              string name = 1 [(test.tool.tags) = "key", (test.tool.tags) = "shown"];
              // In hundredths.
              int64 price = 2;
              .test.tool.State state = 3;
              optional string note = 4 [deprecated = true];
              oneof place {
                string shelf = 5;
                .test.tool.Part.Box box = 6;
              }
              repeated string labels = 7 [json_name = "tags"];
              map<string, .test.tool.Part> parts = 8;
              .google.protobuf.Timestamp since = 9;
              .google.protobuf.Any extra = 10;
              bytes code = 11 [(test.tool.secret) = true];
              repeated int32 sizes = 12 [packed = false];

              message Box {
                int32 row = 1;
              }
              reserved 20, 30 to 39;
              reserved "old", "older";
            }
            """
        ),
        ("test.tool.Part.Box.row", "a field", "int32 row = 1;"),
        (
            "test.tool.Part.place", "a oneof",
            """
            oneof place {
              string shelf = 5;
              .test.tool.Part.Box box = 6;
            }
            """
        ),
        (
            "test.tool.State", "an enum",
            """
            enum State {
              option allow_alias = true;
              STATE_UNSPECIFIED = 0;
              // Can be bought.
              STATE_ON_SALE = 1;
              STATE_OFFERED = 1;
              STATE_SOLD = 2 [deprecated = true];
              reserved 5 to 7, 100 to max;
            }
            """
        ),
        ("test.tool.STATE_SOLD", "a value of test.tool.State", "STATE_SOLD = 2 [deprecated = true];"),
        ("test.tool.State.STATE_SOLD", "a value of test.tool.State", "STATE_SOLD = 2 [deprecated = true];"),
        ("test.old.Old.text", "a field", #"optional string text = 3 [default = "a \"b\"\n"];"#),
        ("test.old.Old.data", "a field", #"optional bytes data = 4 [default = "\001\377"];"#),
        (
            "test.old.Old.item", "a field",
            """
            repeated group Item = 6 {
              // Of the item.
              optional string name = 1;
            }
            """
        ),
        (
            "test.old.outer", "an extension",
            """
            extend .test.old.Old {
              optional int32 outer = 101;
            }
            """
        ),
    ])
    func describes(_ name: String, as kind: String, _ text: String) async throws {
        let schema = try await Protos.schema()
        let symbol = try #require(schema.symbol(named: name))
        #expect(symbol.kind == kind)
        #expect(try ProtoSource.text(of: symbol, in: schema) == text)
    }

    @Test(arguments: [
        "", ".", "test", "test.tool", "test.tool.Nothing", "test.tool.Part.nothing", "Part", "test.tool.Part.",
    ])
    func findsNothing(_ name: String) async throws {
        #expect(try await Protos.schema().symbol(named: name) == nil)
    }

    @Test func aMessageHasATemplate() async throws {
        let schema = try await Protos.schema()
        let part = try #require(schema.types.message(named: "test.tool.Part"))
        #expect(
            part.template.text()
                == #"{"name":"","price":"0","state":"STATE_UNSPECIFIED","note":"","shelf":"","tags":[""],"#
                + #""parts":{"":{}},"since":"1970-01-01T00:00:00Z","#
                + #""extra":{"@type":"type.googleapis.com/google.protobuf.Empty","value":{}},"code":"","sizes":[0]}"#)
    }

    @Test func everyTemplateIsAMessage() async throws {
        let schema = try await Protos.schema()
        let names = schema.types.messageNames
        #expect(names.count > 30)
        for name in names {
            let message = try #require(schema.types.message(named: name))
            _ = try message.bytes(fromJSON: message.template.text(), options: JSONOptions(types: schema.types))
        }
    }

    /// Each level has two fields of the next: 2^40 fields, if nobody counted.
    @Test func aTemplateIsBounded() throws {
        var files = Google_Protobuf_FileDescriptorProto(name: "deep.proto", syntax: "proto3")
        for level in 0..<40 {
            let fields = (1...2).map { number in
                Google_Protobuf_FieldDescriptorProto(
                    name: "f\(number)", number: Int32(number), label: .optional, type: .message,
                    typeName: ".M\(level + 1)")
            }
            files.messageType.append(Google_Protobuf_DescriptorProto(name: "M\(level)", field: fields))
        }
        files.messageType.append(Google_Protobuf_DescriptorProto(name: "M40"))
        let schema = try Schema([files], from: "test")
        let text = try #require(schema.types.message(named: "M0")).template.text()
        #expect(text.utf8.count < 100_000)
    }
}
