/// A request as it arrived, before anybody judged it.
package struct RequestFact: Hashable, Sendable {
    package let operation: Operation
    /// What it is about: attempts are counted for each operation and subject.
    package let subject: String
    package let account: String
    package let clientOrder: String
    /// What the caller's deadline left.
    package let timeLeft: Duration?
    /// In order of name, without credentials.
    package let metadata: [String: String]
    /// The request message on the wire; empty when it was too long to be kept.
    package let body: [UInt8]

    /// No body above this is kept.
    package static let bodyLimitBytes = 4096

    package init(
        operation: Operation, subject: String, account: String = "", clientOrder: String = "",
        timeLeft: Duration? = nil, metadata: [String: String] = [:], body: [UInt8] = []
    ) {
        self.operation = operation
        self.subject = subject
        self.account = account
        self.clientOrder = clientOrder
        self.timeLeft = timeLeft
        self.metadata = metadata
        self.body = body.count <= Self.bodyLimitBytes ? body : []
    }
}

/// What became of a reply.
package enum ReplyFate: UInt8, Hashable, Sendable, CaseIterable {
    /// Handed to the transport as it should be.
    case sent = 1
    /// Held back until the caller had gone.
    case withheld
    /// Replaced by another status or message.
    case replaced
    /// Broken by a fault of the transport.
    case broken
    /// The caller had gone before.
    case callerGone
    /// The process ended before.
    case crashed
}

/// A request's end. Written when the reply is handed to the transport; not waited for.
package struct ReplyFact: Hashable, Sendable {
    /// Counts the requests of the namespace from 1.
    package let request: Int
    /// The broker's own answer, as gRPC numbers it; nil when it never came to one.
    package let code: Int?
    /// Of a refusal.
    package let reason: String
    /// What the caller was shown instead.
    package let shownCode: Int?
    package let fate: ReplyFate

    package init(request: Int, code: Int?, reason: String = "", shownCode: Int? = nil, fate: ReplyFate) {
        self.request = request
        self.code = code
        self.reason = reason
        self.shownCode = shownCode
        self.fate = fate
    }
}

/// What became of a report on a stream.
package enum DeliveryFate: UInt8, Hashable, Sendable, CaseIterable {
    case delivered = 1
    /// A copy was delivered.
    case duplicated
    /// Not delivered on this stream.
    case dropped
    /// Delivered in another form.
    case corrupted
}

/// A report that was offered to a stream. Written when that is done; not waited for.
package struct OfferFact: Hashable, Sendable {
    /// The number of the request that opened the stream.
    package let stream: Int
    /// Of the report.
    package let sequence: Int
    /// Which offer of this report it was, when rules were asked about it (`BrokerRecord.asked`); nil counts it now.
    package let attempt: Int?
    package let fate: DeliveryFate
    /// What rules decided about it.
    package let decisions: [RuleDecision]

    package init(stream: Int, sequence: Int, attempt: Int?, fate: DeliveryFate, decisions: [RuleDecision] = []) {
        self.stream = stream
        self.sequence = sequence
        self.attempt = attempt
        self.fate = fate
        self.decisions = decisions
    }
}
