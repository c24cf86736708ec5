/// Short work at the end of a task that the task's cancellation must not stop.
enum Uncancelled {
    /// Runs `body` as if the current task were not cancelled, and waits for it. `body` has to end by itself soon.
    static func run<Result: Sendable>(_ body: @escaping @Sendable () async -> Result) async -> Result {
        await Task { await body() }.value
    }
}
