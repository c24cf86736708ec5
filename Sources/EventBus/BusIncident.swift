/// Something that a service wants to see in its log, though the bus deals with it by itself.
public enum BusIncident: Sendable {
    /// A handler threw; the event will be tried again unless a `deadLetter` follows. Attempts count from 1.
    case handlerFailed(EventEnvelope, group: String, attempt: Int, reason: String)
    /// An event was set aside.
    case deadLetter(DeadLetter)
    /// A dead letter could not be stored; this is tried again, and the event's key waits.
    case deadLetterNotStored(DeadLetter, reason: String)
    /// The connection broke or the server refused; consuming goes on after a pause. Failures in a row count from 1.
    case interrupted(group: String, failures: Int, reason: String)
    /// The server did not know the group any more: it has lost data, and everything it keeps comes from the beginning.
    case groupLost(group: String)
    /// Partitions of this consumer are another's, or were for a while, or may be: what it had of them begins anew.
    case partitionsLost(group: String, count: Int)
}

/// Told of incidents, on any thread. It must return soon.
public typealias BusObserver = @Sendable (BusIncident) -> Void
