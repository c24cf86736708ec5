extension EventLoop {
    /// Whether the current task runs on this loop and comes back to it after each suspension.
    ///
    /// Being on the loop's thread is not enough: a task without this preference would resume on another thread.
    public var isHomeOfCurrentTask: Bool {
        guard isCurrent else { return false }
        return unsafe withUnsafeCurrentTask { task in
            guard let executor = unsafe task?.unownedTaskExecutor else { return false }
            return unsafe executor == asUnownedTaskExecutor()
        }
    }

    /// Runs `body` on this loop: directly when it is the home of the current task, otherwise by a hop there and back.
    public func perform<Result: Sendable, Failure: Error>(
        _ body: @Sendable () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        guard !isHomeOfCurrentTask else { return try await body() }
        return try await run { () async throws(Failure) in
            // Not only a check: without work of its own here, Swift 6.3 leaves out the hop in front of `body`.
            preconditionOnLoop()
            return try await body()
        }
    }
}
