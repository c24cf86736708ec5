internal import EventLoop
internal import RPCCore

/// What is to go wrong with the answer of one call, or goes on going wrong. Belongs to the call's loop.
final class AnswerFault {
    let action: TransportFault.Action
    var progress: FaultProgress
    /// Runs while the fault lasts: the next drops of a trickle, or the end of silence.
    var timer: LoopTimer?
    var isSilent = false

    init(_ fault: TransportFault) {
        action = fault.action
        progress = FaultProgress(fault.point)
    }

    func stopTimer(on loop: EventLoop) {
        guard let timer else { return }
        loop.cancel(timer)
        self.timer = nil
    }
}

/// How far an answer has come towards the point where its fault strikes. Pure.
struct FaultProgress: Sendable, Hashable {
    private var messagesLeft: Int?
    private var bytesLeft: Int?
    /// No message goes out before it strikes.
    let strikesAfterHeaders: Bool

    init(_ point: TransportFault.Point) {
        switch point {
        case .atOnce, .afterHeaders, .afterMessages(0), .afterBytes(0): strikesAfterHeaders = true
        case .afterMessages(let count):
            messagesLeft = count
            strikesAfterHeaders = false
        case .afterBytes(let count):
            bytesLeft = count
            strikesAfterHeaders = false
        case .insteadOfStatus: strikesAfterHeaders = false
        }
    }

    /// Takes a message of `count` bytes, with its prefix: how many of them go out, and whether the fault strikes then.
    mutating func passes(_ count: Int) -> (bytes: Int, strikes: Bool) {
        if let left = bytesLeft {
            let passed = min(count, left)
            bytesLeft = left - passed
            return (passed, passed == left)
        }
        if let left = messagesLeft {
            messagesLeft = left - 1
            return (count, left == 1)
        }
        return (count, false)
    }
}
