import Foundation
import Protobuf
import TestMessages
import TestSupport
import Testing

private let python = Python.interpreter(importing: "google.protobuf", "grpc_tools")

struct HostileTableTests {
    private static let options: JSONOptions = {
        var types = SchemaPool.wellKnown
        types.add(Scalars.schema)
        return JSONOptions(types: types)
    }()

    private struct Question: Encodable {
        let type: String
        var json: String?
        var binary: Data?
    }

    /// What is accepted comes back from its own JSON and its own bytes.
    @Test(arguments: HostileTable.json.indices) func json(_ index: Int) throws {
        let row = HostileTable.json[index]
        #expect((Self.read(row) != nil) == row.isAccepted, "\(row.json)")
    }

    @Test(arguments: HostileTable.binary.indices) func bytes(_ index: Int) throws {
        let row = HostileTable.binary[index]
        #expect((Self.read(row) != nil) == row.isAccepted, "\(row.type) \(row.bytes)")
    }

    /// The table is not only our opinion.
    @Test(.enabled(if: python != nil, "the Python protobuf library is not installed"))
    func pythonSeesItInTheSameWay() throws {
        let json = HostileTable.json.map { Question(type: $0.type.schema.fullName, json: $0.json) }
        let binary = HostileTable.binary.map { Question(type: $0.type.schema.fullName, binary: Data($0.bytes)) }
        let input = try (json + binary).map { try JSONEncoder().encode($0) + [UInt8(ascii: "\n")] }
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Python/messages.py").path
        let result = try Program.run(
            try #require(python), [script, "\(Repository.path)/Protos", "judge"], input: Data(input.joined()))
        try #require(result.status == 0, "\(result.errors)")
        let answers = try result.output.split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(Data?.self, from: $0).map { [UInt8]($0) }
        }
        try #require(answers.count == json.count + binary.count)
        for (row, theirs) in zip(HostileTable.json, answers) {
            #expect((Self.read(row) == theirs) == row.agrees, "\(row.json)")
        }
        for (row, theirs) in zip(HostileTable.binary, answers.dropFirst(json.count)) {
            #expect((Self.read(row) == theirs) == row.agrees, "\(row.type) \(row.bytes)")
        }
    }

    /// The message as bytes; nil if it is refused.
    private static func read(_ row: HostileTable.Row) -> [UInt8]? {
        func read<M: Message>(_ type: M.Type) -> [UInt8]? {
            guard let message = try? M(json: row.json, options: options) else { return nil }
            let again = try? M(json: message.jsonString(options: options), options: options).encoded()
            #expect(again == message.encoded(), "\(row.json)")
            return message.encoded()
        }
        return read(row.type)
    }

    private static func read(_ row: HostileTable.BinaryRow) -> [UInt8]? {
        func read<M: Message>(_ type: M.Type) -> [UInt8]? {
            let dynamic = try? DynamicMessage(decoding: row.bytes, as: M.schema).encoded()
            let message = try? M(decoding: row.bytes).encoded()
            #expect(dynamic == message, "\(row.bytes)")
            return message
        }
        return read(row.type)
    }
}
