import Foundation
import TestSupport
import Testing

@Suite struct GeneratorTests {
    private static let order = """
        syntax = "proto3";
        package shop.v1;
        // An order.
        message Order {
          // Who it is for.
          string customer_id = 1;
          int64 quantity = 2;  // Pieces.
        }
        service Shop {
          rpc Place(Order) returns (Order);
        }
        """

    @Test(arguments: [
        ("FileNaming=FullPath", ["shop/v1/order.pb.swift", "shop/v1/order.rpc.swift"]),
        ("FileNaming=PathToUnderscores", ["shop_v1_order.pb.swift", "shop_v1_order.rpc.swift"]),
        ("FileNaming=DropPath", ["order.pb.swift", "order.rpc.swift"]),
        ("Services=false", ["shop/v1/order.pb.swift"]),
        ("Messages=false", ["shop/v1/order.rpc.swift"]),
        ("Services=false,Services=true", ["shop/v1/order.pb.swift", "shop/v1/order.rpc.swift"]),
    ])
    func files(_ parameter: String, areNamed names: [String]) throws {
        let output = try Protoc.generate(["shop/v1/order.proto": Self.order], parameter: parameter)
        #expect(output.keys.sorted() == names)
    }

    @Test(arguments: [
        ("", "struct Shop_V1_Order: Protobuf.Message {", "\nimport Protobuf\n"),
        ("Visibility=Public", "public struct Shop_V1_Order: Protobuf.Message {", "\npublic import Protobuf\n"),
        ("Visibility=Package", "package struct Shop_V1_Order: Protobuf.Message {", "\npackage import Protobuf\n"),
        ("SwiftPrefix=", "struct Order: Protobuf.Message {", "\nimport Protobuf\n"),
        ("SwiftPrefix=My", "struct MyOrder: Protobuf.Message {", "\nimport Protobuf\n"),
    ])
    func types(_ parameter: String, areDeclaredAs declaration: String, andImport line: String) throws {
        let output = try Protoc.generate(["order.proto": Self.order], parameter: parameter)
        let text = try #require(output["order.pb.swift"])
        #expect(text.contains(declaration))
        #expect(text.contains(line))
    }

    private static let imports = [
        "base/money.proto": "syntax = \"proto3\"; package base; message Money { int64 units = 1; }",
        "base/unused.proto": "syntax = \"proto3\"; package base; message Unused {}",
        "order.proto": """
        syntax = "proto3";
        import "base/money.proto";
        import "base/unused.proto";
        message Order { repeated Line lines = 1; message Line { base.Money total = 1; } }
        service Till { rpc Pay(Order) returns (Order); }
        """,
    ]

    /// Only modules whose types are named are imported: the compiler warns of others.
    @Test(
        arguments: [
            ("", "import Protobuf\n", "import Protobuf\nimport RPCCore\n"),
            ("ModuleMapping=base/:Base", "import Base\nimport Protobuf\n", "import Protobuf\nimport RPCCore\n"),
            (
                "ModuleMapping=base/money.proto:Cash", "import Cash\nimport Protobuf\n",
                "import Protobuf\nimport RPCCore\n"
            ),
            ("ModuleMapping=base/unused.proto:Base", "import Protobuf\n", "import Protobuf\nimport RPCCore\n"),
            (
                "ModuleMapping=base/:Base,ModuleMapping=base/money:Cash", "import Cash\nimport Protobuf\n",
                "import Protobuf\nimport RPCCore\n"
            ),
            ("ModuleMapping=base/:Base,Module=Base", "import Protobuf\n", "import Protobuf\nimport RPCCore\n"),
            // A file's own module, as mappings for several packages may name it, is not imported either.
            ("ModuleMapping=order.proto:Shop", "import Protobuf\n", "import Protobuf\nimport RPCCore\n"),
            ("ModuleMapping=order.proto:Shop,Messages=false", nil, "import Protobuf\nimport RPCCore\nimport Shop\n"),
            ("ModuleMapping=order.proto:Shop,Module=Shop,Messages=false", nil, "import Protobuf\nimport RPCCore\n"),
        ] as [(String, String?, String)])
    func modules(_ parameter: String, areImportedAs messages: String?, and services: String) throws {
        let output = try Protoc.generate(Self.imports, parameter: parameter)
        func head(_ name: String) -> String? {
            output[name]?.split(separator: "\n\n").dropFirst().first.map { $0 + "\n" }
        }
        #expect(head("order.pb.swift") == messages)
        #expect(head("order.rpc.swift") == services)
    }

    @Test func mappingsOfProtocGenSwiftAreRead() throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let file = "\(folder.path)/modules.asciipb"
        func generate(_ text: String) throws -> String? {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            return try Protoc.generate(Self.imports, parameter: "ProtoPathModuleMappings=\(file)")["order.pb.swift"]
        }
        let output = try generate(
            """
            # Where the types of other files are.
            mapping { module_name: "Cash" proto_file_path: "base/money.proto" proto_file_path: "base/other.proto" }
            mapping { module_name: "Base" proto_file_path: "base/unused.proto" }
            """)
        #expect(output?.contains("\nimport Cash\nimport Protobuf\n\n") == true)
        for (text, reason) in [
            (
                "modules { }",
                "not module mappings; write: mapping { module_name: \"Base\" proto_file_path: \"base/money.proto\" }"
            ),
            ("mapping { proto_file_path: \"a.proto\" }", "a mapping has no module_name"),
            ("mapping { module_name: \"A\" }", "module A has no proto_file_path"),
            (
                """
                mapping { module_name: "A" proto_file_path: "a.proto" }
                mapping { module_name: "B" proto_file_path: "a.proto" }
                """,
                "a.proto is in A and in B"
            ),
        ] {
            let error = #expect(throws: Protoc.Failure.self) { try generate(text) }
            #expect(error?.description == "\(file): \(reason)")
        }
        try FileManager.default.removeItem(atPath: file)
        let error = #expect(throws: Protoc.Failure.self) {
            try Protoc.generate(Self.imports, parameter: "ProtoPathModuleMappings=\(file)")
        }
        #expect(error?.description == "\(file): the file of option ProtoPathModuleMappings cannot be read")
    }

    @Test(arguments: [
        ("", true, true), ("Client=false", false, true), ("Server=false", true, false),
        ("Client=false,Server=false", false, false),
    ])
    func sides(_ parameter: String, haveAClient client: Bool, andAServer server: Bool) throws {
        let text = try #require(
            try Protoc.generate(["order.proto": Self.order], parameter: parameter)["order.rpc.swift"])
        #expect(text.contains("enum Shop_V1_ShopMethods {"))
        #expect(text.contains("struct Shop_V1_ShopClient: Sendable {") == client)
        #expect(text.contains("protocol Shop_V1_Shop: RPCCore.RPCService {") == server)
        #expect(text.contains("extension Shop_V1_Shop {") == server)
    }
}
