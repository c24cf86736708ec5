internal import DequeModule
internal import RPCCore
internal import Synchronization

/// Messages from one task to another inside the process, with a writer that waits while the reader does not take.
///
/// One reader and one writer at a time; any threads.
final class MessagePipe: Sendable {
    fileprivate typealias Reader = CheckedContinuation<[UInt8]?, any Error>
    fileprivate typealias Writer = CheckedContinuation<Void, any Error>

    fileprivate struct State {
        var messages: Deque<[UInt8]> = []
        var byteCount = 0
        var end: End?
        var reader: Reader?
        var writer: Writer?
        var readCount = 0
        var writeCount = 0
    }

    fileprivate enum End {
        case finished
        case failed(any Error)
    }

    /// A writer waits while more than this waits to be read.
    fileprivate static let limitBytes = 64 << 10
    /// What even an empty message counts for, so that they too are bounded.
    fileprivate static let messageOverheadBytes = 64

    private let state = Mutex(State())

    /// Appends a message; throws what the pipe was ended with.
    func send(_ message: [UInt8]) async throws {
        try await waitForRoom()
        let reader: Reader? = try state.withLock { state in
            if case .failed(let error) = state.end { throw error }
            precondition(state.end == nil, "no message follows the last")
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            state.messages.append(message)
            state.byteCount += message.count + Self.messageOverheadBytes
            return nil
        }
        reader?.resume(returning: message)
    }

    /// The next message; nil after the last.
    func receive() async throws -> [UInt8]? {
        let number = state.withLock { state in
            state.readCount += 1
            return state.readCount
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (result, writer) = state.withLock { $0.read(continuation) }
                writer?.resume()
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let reader = state.withLock { state in
                guard state.readCount == number else { return nil as Reader? }
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(throwing: Self.waitCancelled)
        }
    }

    /// No message follows; does nothing after the end.
    func finish() { end(.finished, keepingMessages: true) }

    /// The reader, after the messages that wait if they are kept, and the writer get `error`.
    func fail(_ error: any Error, keepingMessages: Bool) { end(.failed(error), keepingMessages: keepingMessages) }

    private func end(_ end: End, keepingMessages: Bool) {
        let (reader, writer) = state.withLock { state in
            if case .failed = state.end {
                return (nil, nil) as (Reader?, Writer?)
            }
            state.end = end
            if !keepingMessages {
                state.messages.removeAll()
                state.byteCount = 0
            }
            defer {
                state.reader = nil
                state.writer = nil
            }
            return (state.reader, state.writer)
        }
        switch end {
        case .finished:
            reader?.resume(returning: nil)
            writer?.resume()
        case .failed(let error):
            reader?.resume(throwing: error)
            writer?.resume(throwing: error)
        }
    }

    private func waitForRoom() async throws {
        let number = state.withLock { state in
            state.writeCount += 1
            return state.writeCount
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Void, any Error>? = state.withLock { state in
                    guard state.byteCount > Self.limitBytes, state.end == nil else { return .success(()) }
                    if Task.isCancelled { return .failure(Self.waitCancelled) }
                    precondition(state.writer == nil, "one task at a time sends to a call")
                    state.writer = continuation
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let writer = state.withLock { state in
                guard state.writeCount == number else { return nil as Writer? }
                defer { state.writer = nil }
                return state.writer
            }
            writer?.resume(throwing: Self.waitCancelled)
        }
    }

    fileprivate static let waitCancelled = Status(.cancelled, "the waiting task was cancelled", certainty: .unknown)
}

extension MessagePipe.State {
    /// A result that is there already, or nil when `continuation` waits for one; and a writer that has room now.
    fileprivate mutating func read(
        _ continuation: MessagePipe.Reader
    ) -> (Result<[UInt8]?, any Error>?, MessagePipe.Writer?) {
        if let message = messages.popFirst() {
            byteCount -= message.count + MessagePipe.messageOverheadBytes
            guard byteCount <= MessagePipe.limitBytes else { return (.success(message), nil) }
            defer { writer = nil }
            return (.success(message), writer)
        }
        switch end {
        case .finished: return (.success(nil), nil)
        case .failed(let error): return (.failure(error), nil)
        case nil:
            if Task.isCancelled { return (.failure(MessagePipe.waitCancelled), nil) }
            precondition(reader == nil, "one task at a time receives from a call")
            reader = continuation
            return (nil, nil)
        }
    }
}
