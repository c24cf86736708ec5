import Foundation
import Testing

/// Imports point upwards in the table of targets, in the tree as it is.
struct ArchitectureTests {
    @Test func theTreeKeepsToTheTable() throws {
        let tree = try Self.tree()
        #expect(tree.targets.count == TargetRule.all.count)
        #expect(tree.targets["Domain"]?.isEmpty == false, "the sources were found")
        #expect(tree.violations(of: TargetRule.all) == [])
    }

    /// Before it starts a program, Foundation's class of this name lists our open descriptors and copies 256 bytes of each
    /// entry, which has but 24: with more than 1300 descriptors open, the copy may run past the memory that there is.
    /// Source: swift-corelibs-foundation, pull request 5472.
    @Test func programsAreStartedByProcessesAlone() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var read = 0
        for folder in ["Sources", "Tests"] {
            let path = root.appending(path: folder).resolvingSymlinksInPath().path
            for file in try FileManager.default.subpathsOfDirectory(atPath: path) where file.hasSuffix(".swift") {
                let content = try String(contentsOfFile: "\(path)/\(file)", encoding: .utf8)
                #expect(!content.contains(/\bProcess\(\)/), "\(folder)/\(file)")
                read += 1
            }
        }
        #expect(read > 500, "the files were found")
    }

    /// Reads all Swift files under `Sources`.
    private static func tree() throws -> Architecture {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        var targets: [String: [Architecture.File]] = [:]
        for target in try FileManager.default.contentsOfDirectory(atPath: sources.path) where !target.hasPrefix(".") {
            let folder = sources.appending(path: target).path
            targets[target] = try FileManager.default.subpathsOfDirectory(atPath: folder)
                .filter { $0.hasSuffix(".swift") }
                .map { path in
                    Architecture.File(
                        path: "\(target)/\(path)",
                        content: try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8))
                }
        }
        return Architecture(targets: targets)
    }
}

/// The table itself says what the design says.
struct TableTests {
    @Test func rowsNameOnlyTargetsAboveThem() {
        var above: Set<String> = []
        for rule in TargetRule.all {
            #expect(rule.targets.isSubset(of: above), "\(rule.target)")
            #expect(above.insert(rule.target).inserted, "\(rule.target) has two rows")
        }
    }

    @Test func servicesNeverImportEachOther() {
        let rules = TargetRule.all.filter { TargetRule.services.contains($0.target) }
        #expect(rules.count == TargetRule.services.count)
        for rule in rules { #expect(rule.targets.isDisjoint(with: TargetRule.services), "\(rule.target)") }
    }

    @Test func theRuntimeKnowsNothingOfTrading() {
        for rule in TargetRule.all
        where ["RPC", "RPCCore", "HTTP2", "TLS", "EventLoop", "Protobuf"].contains(rule.target) {
            #expect(
                rule.targets.isDisjoint(with: TargetRule.services.union(["Domain", "Contracts"])), "\(rule.target)")
        }
    }

    @Test func eachCModuleHasItsWrappers() {
        let wrappers: [String: Set<String>] = [
            "CFuzzer": ["fuzz"], "CHiredis": ["Redis"], "CLibpq": ["Postgres"],
            "CLinux": ["EventLoop", "Processes"],
            "CNGHTTP2": ["HTTP2"],
            "COpenSSL": ["Cryptography", "TLS"], "CProtobufC": ["Protobuf"], "CZlib": ["Compression"],
        ]
        #expect(Set(wrappers.keys) == TargetRule.cModules)
        for module in TargetRule.cModules {
            let importers = TargetRule.all.filter { $0.targets.contains(module) }.map(\.target)
            #expect(Set(importers) == wrappers[module], "\(module)")
        }
    }
}

/// The check finds what it is there for: made-up trees.
struct ViolationTests {
    private static let rules = [
        TargetRule("CLibpq"), TargetRule("Domain"), TargetRule("Postgres", ["CLibpq"]),
        TargetRule("Channel", ["Domain", "Postgres"]), TargetRule("Trading", ["Domain", "Postgres"]),
    ]

    private static func tree(_ target: String, _ content: String) -> Architecture {
        var targets: [String: [Architecture.File]] = [:]
        for rule in rules { targets[rule.target] = [] }
        targets[target] = [Architecture.File(path: "\(target)/A.swift", content: content)]
        return Architecture(targets: targets)
    }

    @Test(arguments: [
        ("Channel", "import Trading", "Trading"),
        ("Channel", "public import Trading", "Trading"),
        ("Channel", "@testable internal import Trading", "Trading"),
        ("Trading", "import Domain\nimport struct Channel.Door\n", "Channel"),
        ("Trading", "import Domain; import Synchronization\n\timport CLibpq\r\n", "CLibpq"),
        ("Domain", "/* words */\nimport Foundation", "Foundation"),
        ("Domain", "import Glibc.stdio", "Glibc"),
    ])
    func aForbiddenImportIsFound(target: String, content: String, module: String) {
        let expected = ["\(target)/A.swift: \(target) may not import \(module)"]
        #expect(Self.tree(target, content).violations(of: Self.rules) == expected)
    }

    @Test(arguments: [
        ("Channel", "import Domain\nimport Postgres\nimport Synchronization\n"),
        ("Postgres", "internal import CLibpq"),
        ("Domain", "// import Foundation\n/// import Trading\nlet important = 1\n/*\nimport Trading\n*/"),
    ])
    func anAllowedImportIsNot(target: String, content: String) {
        #expect(Self.tree(target, content).violations(of: Self.rules) == [])
    }

    @Test func aFolderWithoutRowIsFound() {
        var tree = Self.tree("Domain", "")
        tree.targets["Kafka"] = []
        #expect(tree.violations(of: Self.rules) == ["Kafka: 0 rows of the table, and there must be one"])
    }

    @Test func aRowWithoutFolderIsFound() {
        var tree = Self.tree("Domain", "")
        tree.targets["Trading"] = nil
        #expect(tree.violations(of: Self.rules) == ["Trading: a row of the table, and no such folder"])
    }
}
