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

    @Test func commentsAreCarriedOver() throws {
        let text = try #require(try Protoc.generate(["order.proto": Self.order])["order.pb.swift"])
        #expect(text.contains("/// An order.\nstruct"))
        #expect(text.contains("    /// Who it is for.\n    var customerID: String = \"\"\n"))
        #expect(text.contains("    /// Pieces.\n    var quantity: Int64 = 0\n"))
        let bare = try #require(
            try Protoc.generate(["order.proto": Self.order], parameter: "Comments=false")["order.pb.swift"])
        #expect(!bare.contains("An order."))
    }

    @Test func filesOfOtherModulesAreImported() throws {
        let sources = [
            "base/money.proto": "syntax = \"proto3\"; package base; message Money { int64 units = 1; }",
            "order.proto": """
            syntax = "proto3";
            import "base/money.proto";
            message Order { base.Money total = 1; }
            """,
        ]
        let mapped = try Protoc.generate(sources, parameter: "ModuleMapping=base/:Base")["order.pb.swift"]
        #expect(try #require(mapped).contains("\nimport Base\nimport Protobuf\n"))
        let own = try Protoc.generate(sources)["order.pb.swift"]
        #expect(try #require(own).contains("\nimport Protobuf\n"))
        #expect(try #require(own).contains("var total: Base_Money?"))
    }

    @Test(arguments: [
        (
            """
            syntax = "proto2";
            message Old {
              optional group Part = 1 { optional int32 x = 1; }
            }
            """,
            "a.proto:3: groups are not supported; use a message"
        ),
        (
            """
            syntax = "proto2";
            message Twins {
              optional int32 one_two = 1;
              optional int32 one__two = 2;
            }
            """,
            "a.proto:2: 'one_two' and 'one__two' of Twins would both be 'oneTwo' in Swift"
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
            "a.proto:5: 'Get' and 'get' would both be 'get' in Swift"
        ),
    ])
    func faultsAreReportedWithTheirPlace(_ source: String, as message: String) {
        #expect {
            try Protoc.generate(["a.proto": source])
        } throws: { error in
            "\(error)" == message
        }
    }

    @Test(arguments: [
        ("Visibility=Secret", "option Visibility is one of Internal, Package, Public, not 'Secret'"),
        ("Services=maybe", "option Services is true or false, not 'maybe'"),
        ("ModuleMapping=x", "option ModuleMapping is 'path/:Module', not 'x'"),
        ("Colour=red", "there is no option 'Colour'"),
    ])
    func badOptionsAreRefused(_ parameter: String, with message: String) {
        #expect {
            try Protoc.generate(["a.proto": "syntax = \"proto3\";"], parameter: parameter)
        } throws: { error in
            "\(error)" == message
        }
    }
}
