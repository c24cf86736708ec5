internal import Domain
public import Logging

/// The log handler of every service: structured lines with the trace id of the current task.
public struct ServiceLog: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level
    public var metadataProvider: Logger.MetadataProvider?
    private let service: String
    private let sink: LogSink

    public init(service: String, sink: LogSink, level: Logger.Level) {
        self.service = service
        self.sink = sink
        logLevel = level
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var facts = metadata
        if let provided = metadataProvider?.get() { facts.merge(provided) { $1 } }
        if let own = event.metadata { facts.merge(own) { $1 } }
        let line = LogLine.format(
            at: .now, level: event.level, service: service, trace: .current,
            event: event.message.description, facts: facts)
        sink.write(line)
    }
}

extension Logger {
    /// A logger that writes lines of `service` to `sink`.
    public init(service: String, sink: LogSink, level: Logger.Level = .info) {
        self.init(label: service) { _ in ServiceLog(service: service, sink: sink, level: level) }
    }
}
