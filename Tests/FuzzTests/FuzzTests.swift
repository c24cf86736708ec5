import EventLoop
import Foundation
import TestSupport
import Testing

@testable import fuzz

/// The parsers that see strangers' bytes.
struct FuzzTests {
    @Test(arguments: FuzzTarget.all.map(\.name))
    func seedsHold(_ name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        for seed in target.seeds {
            #expect(seed.count <= target.maximumBytes)
            // Cut and flipped everywhere, so that an ordinary build sees some hostile bytes, too.
            for index in 0...seed.count { target.run(Array(seed.prefix(index))) }
            for index in seed.indices {
                var changed = seed
                changed[index] ^= 0xFF
                target.run(changed)
            }
        }
    }

    /// Each parser for a bounded time under libFuzzer, guided by coverage, with AddressSanitizer, bounded in memory and
    /// in the time of one input. The search is the same each time, so that a finding belongs to a change;
    /// MERIDIAN_TEST_SEED=n begins another, MERIDIAN_FUZZ_SECONDS=n makes it longer.
    @Test(.timeLimit(.minutes(60))) func noInputBreaksAParser() async throws {
        let program = try await BlockingPool.shared.run { Result { try Fuzzer.build() } }.get()
        let environment = ProcessInfo.processInfo.environment
        let seconds = environment["MERIDIAN_FUZZ_SECONDS"].flatMap(Int.init) ?? 2
        let seed = environment["MERIDIAN_TEST_SEED"].flatMap(UInt32.init) ?? 1
        for target in FuzzTarget.all {
            let outcome = try await BlockingPool.shared.run {
                Result { try Fuzzer.search(program, target.name, seed: seed, seconds: seconds) }
            }.get()
            #expect(outcome.problem == nil, "\(target.name), seed \(seed): \(outcome.problem ?? "")")
            #expect(outcome.inputs > target.seeds.count, "\(target.name) was searched: \(outcome.inputs) inputs")
        }
    }
}
