public import Contracts
internal import MockBroker
internal import Protobuf

/// A rule set under which a test failed, as small as it gets.
public struct SwarmFailure: Error, CustomStringConvertible {
    /// Draws the whole rule set again: `TestBroker.run(preset: "swarm", seed: seed)`.
    public let seed: Int64
    /// Each of them is needed to fail.
    public let rules: [BrokerRule]
    /// What the test threw under these rules.
    public let cause: any Error

    /// Names the seed, and the rules as JSON to be pasted into a file.
    public var description: String {
        let texts = rules.map { (try? $0.jsonString()) ?? $0.ruleID }
        return "seed \(seed) fails with [\(texts.joined(separator: ", "))]: \(cause)"
    }
}

extension TestBroker {
    /// Runs `body` against a new broker for each seed, with rules drawn from it.
    ///
    /// `body` throws when the client under test has broken a promise, whatever the rules are. The first seed that fails is
    /// run again with fewer and fewer rules until each one is needed.
    ///
    /// - Throws: `SwarmFailure`.
    public static func swarm(
        seeds: some Sequence<Int64>, _ body: (TestBroker) async throws -> Void
    ) async throws {
        for seed in seeds {
            let rules = Swarm.rules(seed: seed)
            guard let first = await failure(rules, seed, body) else { continue }
            var cause = first
            let smallest = await Swarm.shrink(rules) { part in
                guard let failure = await failure(part, seed, body) else { return false }
                cause = failure
                return true
            }
            throw SwarmFailure(seed: seed, rules: smallest, cause: cause)
        }
    }

    private static func failure(
        _ rules: [BrokerRule], _ seed: Int64, _ body: (TestBroker) async throws -> Void
    ) async -> (any Error)? {
        do {
            try await run(seed: seed, rules: rules, body)
            return nil
        } catch {
            return error
        }
    }
}
