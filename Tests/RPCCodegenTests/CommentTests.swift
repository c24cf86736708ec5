import Testing

@Suite struct CommentTests {
    /// A comment above each kind of declaration, and one behind where protoc takes it for that of the declaration.
    private static let source = """
        // The licence, which belongs to nothing.

        // The syntax.
        syntax = "proto3";
        package shop;
        option swift_prefix = "";

        // Detached from what follows.

        // An order.
        //
        //   Indented, with */ and /* in it.
        message Order {
          // Who it is for.
          string customer_id = 1;
          int64 quantity = 2;  // Pieces.
          // Above.
          int64 price = 3;  // Behind.
          /* What
           * is chosen. */
          oneof choice {
            // In cash.
            string cash = 4;
            string card = 5 [deprecated = true];
          }
          // Inside.
          message Part {
            option deprecated = true;
          }
        }

        // How it stands.
        enum State {
          // Not known.
          STATE_UNSPECIFIED = 0;
          STATE_DONE = 1;  // All of it.
        }

        // Sells.
        service Shop {
          // One order.
          rpc Place(Order) returns (Order);  // Once.
        }
        """

    @Test(arguments: [
        "\n/// An order.\n///\n///   Indented, with */ and /* in it.\nstruct Order:",
        "\n    /// Who it is for.\n    var customerID: String",
        "\n    /// Pieces.\n    var quantity: Int64",
        "\n    /// Above.\n    ///\n    /// Behind.\n    var price: Int64",
        "\n    /// What\n    /// is chosen.\n    var choice: Choice?",
        "\n    /// What\n    /// is chosen.\n    enum Choice:",
        "\n        /// In cash.\n        case cash(String)",
        "\n        /// Deprecated.\n        case card(String)",
        "\n    /// Inside.\n    ///\n    /// Deprecated.\n    struct Part:",
        "\n/// How it stands.\nenum State:",
        "\n    /// Not known.\n    case unspecified",
        "\n    /// All of it.\n    case done",
    ])
    func ofTypes(_ text: String) throws {
        let output = try Protoc.generate(["shop.proto": Self.source])
        #expect(try #require(output["shop.pb.swift"]).contains(text))
    }

    @Test(arguments: [
        "\n/// Sells.\nprotocol Shop:",
        "\n    /// One order.\n    ///\n    /// Once.\n    func place(_ request: Order, context: RPCCore.ServerContext)",
        "\n    /// One order.\n    ///\n    /// Once.\n    func place(_ request: Order, options:",
    ])
    func ofServices(_ text: String) throws {
        let output = try Protoc.generate(["shop.proto": Self.source])
        #expect(try #require(output["shop.rpc.swift"]).contains(text))
    }

    @Test func whatBelongsToNothingStaysBehind() throws {
        let output = try Protoc.generate(["shop.proto": Self.source])
        for text in output.values {
            #expect(!text.contains("licence") && !text.contains("syntax") && !text.contains("Detached"))
        }
        let bare = try Protoc.generate(["shop.proto": Self.source], parameter: "Comments=false")
        #expect(bare["shop.pb.swift"]?.contains("///") == true, "deprecation is not a comment")
        for text in bare.values { #expect(!text.contains("An order") && !text.contains("Sells")) }
    }

    /// What ends a line for Swift ends it in the comment too, so that no comment becomes code.
    @Test(arguments: ["\r\n", "\r", "\u{2028}", "\u{2029}", "\u{85}", "\u{b}", "\u{c}"])
    func endsOfLinesOfAllKinds(_ end: String) throws {
        let source =
            "syntax = \"proto3\";\n// First.\(end)// let code = 1\nmessage A {}\n/* x\(end)let code = 1 */message B {}\n"
        let text = try #require(try Protoc.generate(["a.proto": source])["a.pb.swift"])
        let lines = text.split(separator: "\n").filter { $0.contains("let code") }
        #expect(!lines.isEmpty)
        for line in lines { #expect(line.hasPrefix("///"), "\(line)") }
        for line in text.split(separator: "\n") { #expect(line.allSatisfy { !$0.isNewline }) }
    }
}
