import Logging
import Synchronization

/// Keeps what a service logs, so that a failing test can show the story.
final class LogBook: LogHandler, @unchecked Sendable {
    // @unchecked: the only mutable state that is used is behind the lock; metadata and level are set by nobody.

    private let lines = Mutex<[String]>([])
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        lines.withLock { $0.append("\(event.level) \(event.message) \(facts.joined(separator: " "))") }
    }
}
