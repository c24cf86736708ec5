import SwiftProtobuf
import SwiftProtobufPluginLibrary
import Testing

@Suite struct GeneratorFaultTests {
    /// Each names the file, the line, and what to do.
    @Test(arguments: [
        (
            """
            // Old.
            syntax = "proto2";
            message Old { optional group Part = 1 { optional int32 x = 1; } }
            """,
            """
            a.proto:2: proto2 is not supported, with its groups, required fields, defaults and extensions; write syntax = \
            "proto3" (optional fields keep their presence there)
            """
        ),
        (
            "message Older { required int32 x = 1; }",
            """
            a.proto:1: proto2 is not supported, with its groups, required fields, defaults and extensions; write syntax = \
            "proto3" (optional fields keep their presence there)
            """
        ),
        (
            """
            syntax = "proto3";
            message Twins {
              int32 self_field = 1;
              int32 self = 2;
            }
            """,
            "a.proto:4: 'self_field' and 'self' of Twins would both be 'selfField' in Swift; rename one"
        ),
        (
            """
            syntax = "proto3";
            message Twins {
              int32 choice = 1;
              oneof Choice { int32 x = 2; }
            }
            """,
            "a.proto:4: 'choice' and 'Choice' of Twins would both be 'choice' in Swift; rename one"
        ),
        (
            """
            syntax = "proto3";
            message Twins {
              oneof choice {
                int32 self_field = 1;
                int32 self = 2;
              }
            }
            """,
            "a.proto:5: 'self_field' and 'self' of oneof choice would both be 'selfField' in Swift; rename one"
        ),
        (
            """
            syntax = "proto3";
            message Outer {
              message foo_bar {}
              enum FooBar { ZERO = 0; }
            }
            """,
            "a.proto:4: 'foo_bar' and 'FooBar' of Outer would both be 'FooBar' in Swift; rename one"
        ),
        (
            """
            syntax = "proto3";
            package a;
            message foo_bar {}
            enum FooBar { ZERO = 0; }
            """,
            """
            a.proto:4: 'a.foo_bar' and 'a.FooBar' would both be 'A_FooBar' in Swift; rename one, or set option swift_prefix
            """
        ),
        (
            """
            syntax = "proto3";
            message ShopClient {}
            service Shop {
              rpc Get(ShopClient) returns (ShopClient);
            }
            """,
            "a.proto:3: 'ShopClient' and 'Shop' would both be 'ShopClient' in Swift; rename one, or set option swift_prefix"
        ),
        (
            """
            syntax = "proto3";
            message Empty {}
            service Twins {
              rpc Get(Empty) returns (Empty);
              rpc get(Empty) returns (Empty);
            }
            """,
            "a.proto:5: 'Get' and 'get' of Twins would both be 'get' in Swift; rename one"
        ),
        (
            """
            syntax = "proto3";
            enum State {
              INIT = 0;
              INIT_VALUE = 1;
            }
            """,
            "a.proto:4: 'INIT' and 'INIT_VALUE' of enum State would both be 'initValue' in Swift; rename one"
        ),
        (
            """
            syntax = "proto3";
            option swift_prefix = "";
            message Money {}
            message Order {
              message Money {}
              Money own = 1;
              .Money total = 2;
            }
            """,
            """
            a.proto:7: the type 'Money' is hidden here by a type inside the message that is also called 'Money' in Swift; \
            rename it, or set option swift_prefix
            """
        ),
        (
            "syntax = \"proto3\";\noption swift_prefix = \"a-b\";",
            "a.proto:2: option swift_prefix needs a Swift name, not 'a-b'"
        ),
    ])
    func faultsAreReportedWithTheirPlace(_ source: String, as message: String) {
        let error = #expect(throws: Protoc.Failure.self) { try Protoc.generate(["a.proto": source]) }
        #expect(error?.description == message)
    }

    @Test func faultsAcrossFilesNameBoth() {
        let sources = [
            "a/x.proto": "syntax = \"proto3\"; package a; option swift_prefix = \"\"; message Money {}",
            "b/x.proto": "syntax = \"proto3\"; package b; option swift_prefix = \"\";\nmessage Money {}",
        ]
        let twice = #expect(throws: Protoc.Failure.self) { try Protoc.generate(sources) }
        #expect(
            twice?.description
                == "b/x.proto:2: 'a.Money' and 'b.Money' would both be 'Money' in Swift; rename one, or set option swift_prefix"
        )
        let output = #expect(throws: Protoc.Failure.self) {
            try Protoc.generate(sources, parameter: "FileNaming=DropPath")
        }
        #expect(
            output?.description
                == "b/x.proto: would be written to x.pb.swift, like a/x.proto; set FileNaming=FullPath or PathToUnderscores"
        )
    }

    /// protoc itself refuses editions for plugins that do not claim them; whoever does not ask it gets our answer.
    @Test func editionsAreRefused() throws {
        #expect(!Protoc.supportsEditions)
        let error = #expect(throws: Protoc.Failure.self) {
            try Protoc.generate(["a.proto": "syntax = \"proto3\";\nmessage A {}"]) { request in
                request.protoFile[0].syntax = "editions"
                request.protoFile[0].edition = .edition2023
            }
        }
        #expect(error?.description.hasPrefix("a.proto:1: an edition is not supported") == true)
    }

    /// Names that come from the file as text are text in the code, whatever they hold.
    @Test func textIsEscaped() throws {
        let source = #"syntax = "proto3"; message A { int32 x = 1 [json_name = "a\"\\\n\\(b) é"]; }"#
        let text = try #require(try Protoc.generate(["a.proto": source])["a.pb.swift"])
        #expect(text.contains(#"json: "a\"\\\u{a}\\(b) \u{e9}")"#))
    }

    @Test(arguments: [
        ("Visibility=Secret", "option Visibility is one of Internal, Package, Public, not 'Secret'"),
        ("Visibility", "option Visibility is one of Internal, Package, Public, not ''"),
        ("visibility=Public", unknown("visibility")),
        ("FileNaming=Flat", "option FileNaming is one of FullPath, PathToUnderscores, DropPath, not 'Flat'"),
        ("Services=maybe", "option Services is true or false, not 'maybe'"),
        ("Client=1", "option Client is true or false, not '1'"),
        ("ModuleMapping=x", "option ModuleMapping is 'path/:Module', not 'x'"),
        ("ModuleMapping=x/:A B", "option ModuleMapping needs a Swift name, not 'A B'"),
        ("Module=", "option Module needs a Swift name, not ''"),
        ("SwiftPrefix=1st", "option SwiftPrefix needs a Swift name, not '1st'"),
        ("Colour=red", unknown("Colour")),
        ("Visibility=Public,UseAccessLevelOnImports=true", unknown("UseAccessLevelOnImports")),
    ])
    func badOptionsAreRefused(_ parameter: String, with message: String) {
        let error = #expect(throws: Protoc.Failure.self) {
            try Protoc.generate(["a.proto": "syntax = \"proto3\";"], parameter: parameter)
        }
        #expect(error?.description == message)
    }

    private static func unknown(_ name: String) -> String {
        "there is no option '\(name)'; there are Client, Comments, FileNaming, Messages, Module, ModuleMapping, "
            + "ProtoPathModuleMappings, Server, Services, SwiftPrefix, Visibility"
    }
}
