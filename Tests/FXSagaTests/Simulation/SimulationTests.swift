import Domain
import TestSupport
import Testing

@testable import FXSaga

@Suite struct SimulationTests {
    private static let worlds: UInt64 = 10_000

    @Test(arguments: SeededGenerator.seeds(1))
    func theBooksHold(first: UInt64) throws {
        var ends: [ExchangeState: Int] = [:]
        for offset in 0..<Self.worlds {
            let seed = first &+ offset
            var simulation = Simulation(seed: seed)
            do {
                ends.merge(try simulation.run(), uniquingKeysWith: +)
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
        // A run that never met an end proves nothing about it.
        for state in [ExchangeState.completed, .failed, .cancelled] {
            #expect(ends[state, default: 0] > 100, "\(ends)")
        }
    }

    /// A check that has never failed proves nothing: each broken promise is noticed.
    @Test(arguments: Simulation.Weakness.allCases)
    func brokenPromisesAreNoticed(_ weakness: Simulation.Weakness) throws {
        for seed in 0..<Self.worlds {
            var simulation = Simulation(seed: seed, weakness: weakness)
            do { _ = try simulation.run() } catch { return }
        }
        Issue.record("\(weakness) was not noticed in \(Self.worlds) worlds")
    }
}
