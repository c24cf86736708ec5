import Foundation
import Protobuf
import TestMessages
import TestSupport
import Testing

private let python = Python.interpreter(importing: "google.protobuf", "grpc_tools")

/// Random messages against the Python protobuf library, binary and JSON, both ways.
@Suite(.enabled(if: python != nil, "the Python protobuf library is not installed"))
struct PythonTests {
    /// One message as the two sides pass it on.
    private struct Case: Codable {
        let type: String
        let binary: Data
        let json: String
        var recoded: Data?
        var rewritten: String?
    }

    private static let types: [any Message.Type] = [
        Scalars.self, Optionals.self, Repeated.self, Maps.self, Choices.self, Node.self, Imports.self, Names.self,
        Sparse.self, WellKnown.self,
    ]
    private static let byName = Dictionary(uniqueKeysWithValues: types.map { ($0.schema.fullName, $0) })
    private static let known: SchemaPool = {
        var pool = SchemaPool.wellKnown
        for type in types { pool.add(type.schema) }
        return pool
    }()

    /// Python makes the messages; what we make of their bytes and of their JSON must be the same to Python again.
    @Test(.timeLimit(.minutes(2)), arguments: SeededGenerator.seeds(1))
    func messagesComeBackFromTheOtherSide(_ seed: UInt64) throws {
        let python = try #require(python)
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Python/messages.py").path
        let protos = "\(Repository.path)/Protos"
        let made = try Program.run(python, [script, protos, "make", "\(seed)", "4000"])
        try #require(made.status == 0, "\(made.errors)")
        let lines = made.output.split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 4000)
        var answers = Data()
        for (index, line) in lines.enumerated() {
            var subject = try JSONDecoder().decode(Case.self, from: line)
            let type = try #require(Self.byName[subject.type])
            do {
                try answer(&subject, as: type, options: Self.options(index))
            } catch {
                Issue.record("message \(index) of seed \(seed): \(error) \(String(decoding: line, as: UTF8.self))")
                continue
            }
            answers += try JSONEncoder().encode(subject) + [UInt8(ascii: "\n")]
        }
        let checked = try Program.run(python, [script, protos, "check"], input: answers)
        try #require(checked.status == 0, "\(checked.errors)")
        #expect(checked.text == "4000 checked, 0 differ\n", "seed \(seed)")
    }

    /// Every way of writing in its turn.
    private static func options(_ index: Int) -> JSONOptions {
        JSONOptions(
            isPretty: index & 1 != 0, includesDefaults: index & 2 != 0, usesProtoNames: index & 4 != 0,
            writesEnumsAsNumbers: index & 8 != 0, types: known)
    }

    private func answer<M: Message>(_ subject: inout Case, as type: M.Type, options: JSONOptions) throws {
        let message = try M(decoding: [UInt8](subject.binary))
        let text = try message.jsonString(options: options)
        subject.recoded = Data(message.encoded())
        subject.rewritten = text
        // What Python wrote and what we wrote say the same to us.
        #expect(try M(json: subject.json, options: options).encoded() == M(json: text, options: options).encoded())
    }
}
