/// A source whose questions count as the step `reflect`.
package struct TimedSource: SchemaSource {
    private let source: any SchemaSource
    private let steps: StepLog

    package init(_ source: any SchemaSource, _ steps: StepLog) {
        self.source = source
        self.steps = steps
    }

    package var name: String { source.name }

    package func serviceNames() async throws -> [String] {
        try await steps.run(.reflect, "the services, by \(name)") { try await source.serviceNames() }
    }

    package func schema(of symbol: String) async throws -> Schema {
        try await steps.run(.reflect, "\(symbol), by \(name)") { try await source.schema(of: symbol) }
    }

    package func everything() async throws -> Schema {
        try await steps.run(.reflect, "all services, by \(name)") { try await source.everything() }
    }
}
