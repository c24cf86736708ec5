import ArgumentParser
import Interop

/// How rpc_soak and channel_soak run, by the names that all implementations use.
struct SoakOptions: ParsableArguments {
    private static let defaults = SoakSettings()

    @Option(name: .customLong("soak_iterations"), help: "Calls.")
    var iterations = defaults.iterations

    @Option(name: .customLong("soak_max_failures"), help: "Calls that may fail or take too long.")
    var maximumFailures = defaults.maximumFailures

    @Option(
        name: .customLong("soak_per_iteration_max_acceptable_latency_ms"), help: "How long one call may take.")
    var acceptableMilliseconds = 1000

    @Option(
        name: .customLong("soak_overall_timeout_seconds"),
        help: "How long all calls may take; without it, the acceptable latency for each.")
    var overallSeconds: Int?

    @Option(name: .customLong("soak_min_time_ms_between_rpcs"), help: "From the start of a call to that of the next.")
    var minimumMilliseconds = 0

    @Option(name: .customLong("soak_request_size"), help: "Bytes of a request's payload.")
    var requestBytes = defaults.requestBytes

    @Option(name: .customLong("soak_response_size"), help: "Bytes of a response's payload.")
    var responseBytes = defaults.responseBytes

    @Option(name: .customLong("soak_num_threads"), help: "Callers at the same time, who share the calls evenly.")
    var workers = defaults.workers

    func validate() throws {
        guard (1...1_000_000_000).contains(iterations), maximumFailures >= 0 else {
            throw ValidationError("--soak_iterations goes from 1 to 1000000000, --soak_max_failures from 0.")
        }
        let day = 86400
        guard (1...day * 1000).contains(acceptableMilliseconds), (1...1000 * day).contains(overallSeconds ?? 1),
            (0...day * 1000).contains(minimumMilliseconds)
        else { throw ValidationError("The times of one call go up to a day, that of all to a thousand.") }
        guard (0...SoakSettings.maximumPayloadBytes).contains(requestBytes),
            (0...SoakSettings.maximumPayloadBytes).contains(responseBytes)
        else { throw ValidationError("The payloads of a soak have 0 to \(SoakSettings.maximumPayloadBytes) bytes.") }
        guard (1...1000).contains(workers) else { throw ValidationError("--soak_num_threads goes from 1 to 1000.") }
    }

    var settings: SoakSettings {
        var settings = SoakSettings()
        settings.iterations = iterations
        settings.maximumFailures = maximumFailures
        settings.acceptableLatency = .milliseconds(acceptableMilliseconds)
        settings.overallTimeout = overallSeconds.map { .seconds($0) }
        settings.minimumInterval = .milliseconds(minimumMilliseconds)
        settings.requestBytes = requestBytes
        settings.responseBytes = responseBytes
        settings.workers = workers
        return settings
    }
}
