import Contracts
import RPCCore
import Synchronization

/// An exchange that brings the money at once, later, or never.
final class FakeExchange: FxService {
    enum Act: Sendable {
        case complete
        case fail(String)
        /// The same, after somebody else has paid something to the account.
        case failAfterDeposit(String, minor: Int64)
        /// Goes on by itself and is not finished yet.
        case stayOpen
        /// Done, but the answer is lost.
        case loseReply
    }

    private struct State {
        var acts: [Act] = []
        var requests: [FXCreateExchangeRequest] = []
        var done: [String: FXExchange] = [:]
    }

    private let account: FakeAccount
    private let state = Mutex(State())

    init(_ account: FakeAccount) { self.account = account }

    func plan(_ acts: Act...) { state.withLock { $0.acts += acts } }
    var requests: [FXCreateExchangeRequest] { state.withLock { $0.requests } }

    func createExchange(_ request: FXCreateExchangeRequest, context: ServerContext) async throws -> FXExchange {
        let (act, known) = state.withLock { state in
            state.requests.append(request)
            return (state.acts.isEmpty ? Act.complete : state.acts.removeFirst(), state.done[request.exchangeID])
        }
        if let known {
            guard known.buy == request.buy else { throw Refusal(.alreadyExists, "EXCHANGE_ID_REUSED", "other content") }
            return known
        }
        let open = FXExchange(
            exchangeID: request.exchangeID, customerID: request.customerID, buy: request.buy, state: .withdrawUnknown)
        switch act {
        case .stayOpen: return open
        case .complete, .loseReply:
            var done = open
            done.state = .completed
            state.withLock { $0.done[request.exchangeID] = done }
            account.add(request.buy?.minor ?? 0, to: request.targetAccountID)
            if case .loseReply = act { throw Status(.unavailable, "lost", certainty: .unknown) }
            return done
        case .fail(let reason), .failAfterDeposit(let reason, _):
            if case .failAfterDeposit(_, let minor) = act { account.add(minor, to: request.targetAccountID) }
            var failed = open
            failed.state = .failed
            failed.reason = reason
            state.withLock { $0.done[request.exchangeID] = failed }
            return failed
        }
    }

    // Not called by the trading service.

    func getQuote(_ request: FXGetQuoteRequest, context: ServerContext) async throws -> FXQuote {
        throw Status(.unimplemented)
    }
    func redriveExchange(_ request: FXRedriveExchangeRequest, context: ServerContext) async throws -> FXExchange {
        throw Status(.unimplemented)
    }
    func getExchange(_ request: FXGetExchangeRequest, context: ServerContext) async throws -> FXExchange {
        throw Status(.unimplemented)
    }
    func listExchanges(
        _ request: FXListExchangesRequest, context: ServerContext
    ) async throws -> FXListExchangesResponse { throw Status(.unimplemented) }
}
