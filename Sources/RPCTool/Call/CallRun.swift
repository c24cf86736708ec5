import Limits
import Protobuf
package import RPCCore

/// Calls one method with what the input holds, and shows what comes back.
///
/// A method that takes one message is called once for each, in order, on one connection. A method that takes several is
/// called once: messages are sent as they are read, replies are shown as they come.
package struct CallRun {
    package enum Detail: Int, Comparable {
        case replies, headers, timings

        package static func < (a: Detail, b: Detail) -> Bool { a.rawValue < b.rawValue }
    }

    package struct Settings {
        package var format = MessageText()
        package var metadata: Metadata = [:]
        /// Of each call; nil leaves it to `Deadline.current`.
        package var timeout: Duration?
        package var encoding = MessageEncoding.identity
        package var detail = Detail.replies
        /// Goes on after a call that failed, when there are several.
        package var keepsGoing = false
        /// Shows a status as JSON.
        package var writesErrorsAsJSON = false

        /// What people shall read of a status that has details of a known kind; nil shows them as they are.
        package var explain: @Sendable (Status) -> String? = { _ in nil }

        package init() {}
    }

    /// Where text goes: replies to programs, notes to people.
    package struct Output: Sendable {
        package let reply: @Sendable (String) -> Void
        package let note: @Sendable (String) -> Void

        package init(reply: @escaping @Sendable (String) -> Void, note: @escaping @Sendable (String) -> Void) {
            self.reply = reply
            self.note = note
        }
    }

    private let method: CallableMethod
    private let channel: any RPCChannel
    private let settings: Settings
    private let steps: StepLog
    private let output: Output
    private var learned: LearnedTypes
    private var replyCount = 0

    /// - Parameter source: where types are asked for that turn up in an `Any`; nil asks nowhere.
    package init(
        _ method: CallableMethod, on channel: any RPCChannel, _ settings: Settings, source: (any SchemaSource)?,
        steps: StepLog, output: Output
    ) {
        self.method = method
        self.channel = channel
        self.settings = settings
        self.steps = steps
        self.output = output
        learned = LearnedTypes(settings.format.types, source: source)
    }

    /// Throws `ToolFailure`: `invalid` for input that is none, `status` for a call that failed (the first, if several did).
    package mutating func run(_ requests: consuming RequestSource) async throws {
        var requests = requests
        if method.schema.clientStreams { return try await call(&requests) }
        var failure: ToolFailure?
        var count = 0
        while let request = try await requests.request() {
            count += 1
            do {
                try await call(request)
            } catch let error as ToolFailure {
                guard settings.keepsGoing, case .status = error else { throw failure ?? error }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        guard count > 0 else { throw ToolFailure.invalid("There is no request; {} is an empty one.") }
    }

    // MARK: One call

    /// A call with one request.
    private mutating func call(_ request: [UInt8]) async throws {
        let (settings, output) = (settings, output)
        try await exchange { call, clock in
            try await Self.send(request, to: call, number: 1, settings, output)
            await call.finishSending()
            clock.sent(1, request.count)
        }
    }

    /// A call with all requests.
    private mutating func call(_ requests: inout RequestSource) async throws {
        // The sender works beside the receiver and needs the requests as its own.
        let box = RequestBox(requests)
        let (settings, output) = (settings, output)
        try await exchange { call, clock in
            try await box.send(to: call, clock) { bytes, number in
                try await Self.send(bytes, to: call, number: number, settings, output)
            }
        }
    }

    private mutating func exchange(
        _ send: @escaping @Sendable (any ClientCall, CallClock) async throws -> Void
    ) async throws {
        showRequest()
        let clock = CallClock()
        let path = method.path
        let options = CallOptions(timeout: settings.timeout, metadata: settings.metadata, encoding: settings.encoding)
        do {
            try await channel.withCall(path, options: options) { call in
                clock.start()
                try await exchange(call, clock, send)
            }
            clock.write(to: steps, path)
            if settings.detail >= .headers { output.note("OK after \(TimeText.format(clock.total))") }
        } catch let status as Status {
            clock.write(to: steps, path)
            try await fail(clock.explained(status, path))
        }
    }

    private mutating func exchange(
        _ call: any ClientCall, _ clock: CallClock,
        _ send: @escaping @Sendable (any ClientCall, CallClock) async throws -> Void
    ) async throws {
        let sender = SenderOutcome()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do {
                    try await send(call, clock)
                } catch is CallEnded {
                    // The server has heard enough; what it answered is read below.
                } catch let failure as ToolFailure {
                    sender.fail(failure)
                    call.cancel()
                } catch {
                    // The call has failed: its status is read below.
                }
            }
            defer { tasks.cancelAll() }
            do {
                if settings.detail >= .headers {
                    for element in try await call.initialMetadata() { output.note("< \(HeaderText.shown(element))") }
                }
                while let reply = try await call.receiveMessage() {
                    clock.received()
                    try await show(reply, clock)
                }
                showTrailers(call.trailingMetadata)
            } catch let status as Status {
                if let failure = sender.failure { throw failure }
                showTrailers(call.trailingMetadata)
                throw status
            }
        }
    }

    private static func send(
        _ request: [UInt8], to call: any ClientCall, number: Int, _ settings: Settings, _ output: Output
    ) async throws {
        try await call.send(request)
        guard settings.detail >= .headers else { return }
        let encoding = settings.encoding == .identity ? "" : ", to be compressed with \(settings.encoding.rawValue)"
        output.note("> message \(number): \(request.count) bytes\(encoding)")
    }

    // MARK: Text

    private func showRequest() {
        guard settings.detail >= .headers else { return }
        output.note("> \(method.path)")
        for element in settings.metadata { output.note("> \(HeaderText.shown(element))") }
    }

    private func showTrailers(_ trailers: Metadata) {
        guard settings.detail >= .headers else { return }
        for element in trailers { output.note("< \(HeaderText.shown(element)) (trailer)") }
    }

    private mutating func show(_ reply: ReceivedMessage, _ clock: CallClock) async throws {
        if settings.detail >= .headers {
            let wire = reply.wasCompressed ? ", \(reply.wireByteCount) on the wire, compressed" : ", not compressed"
            let time = settings.detail >= .timings ? ", after \(TimeText.format(clock.total))" : ""
            output.note("< message: \(reply.bytes.count) bytes\(wire)\(time)")
        }
        let message: DynamicMessage
        do {
            message = try DynamicMessage(decoding: reply.bytes, as: method.schema.output)
        } catch {
            throw ToolFailure.other("The reply is no \(method.schema.output.fullName): \(error)")
        }
        await learned.learn(from: message)
        var format = settings.format
        format.types = learned.types
        if replyCount > 0, !format.separator.isEmpty { output.reply(format.separator) }
        output.reply(try format.text(of: message))
        replyCount += 1
    }

    private mutating func fail(_ status: Status) async throws {
        let report = StatusReport(status)
        if let details = report.details { await learned.learn(from: details) }
        var format = settings.format
        format.types = learned.types
        if settings.writesErrorsAsJSON {
            output.note(report.json(format).text(pretty: !format.isCompact))
        } else {
            output.note(settings.explain(status) ?? report.text(format))
        }
        throw ToolFailure.status(status)
    }
}
