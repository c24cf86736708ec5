import Contracts
import RPCCore
import Testing

/// How a call was refused: its code, its reason, and what is certain.
struct Refused: Equatable {
    let code: Status.Code
    let reason: String
    let certainty: WireCertainty
    let retry: WireRetryAdvice

    init(_ code: Status.Code, _ reason: String, _ certainty: WireCertainty, _ retry: WireRetryAdvice) {
        self.code = code
        self.reason = reason
        self.certainty = certainty
        self.retry = retry
    }

    init?(_ error: any Error) {
        let status = Status(describing: error)
        guard let detail = WireErrorDetail(status) else { return nil }
        self.init(status.code, detail.reason, detail.certainty, detail.retry)
    }
}

/// The refusal with which `body` ends; a failure of the test when it succeeds.
func refusal<Result>(
    _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Result
) async -> Refused? {
    do {
        _ = try await body()
        Issue.record("the call was not refused", sourceLocation: location)
        return nil
    } catch {
        let refused = Refused(error)
        if refused == nil { Issue.record("no refusal with a reason: \(error)", sourceLocation: location) }
        return refused
    }
}
