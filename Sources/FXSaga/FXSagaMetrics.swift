internal import Domain
internal import ServiceKit

/// The numbers of the exchange service.
struct FXSagaMetrics: Sendable {
    let accepted: Counter
    let replayed: Counter
    let refused: Counter
    let recovered: Counter
    let fenced: Counter
    let stopped: Counter
    let contradictions: Counter
    let duplicateEvents: Counter
    let deadLetters: Counter
    let open: Gauge
    let overdue: Gauge
    let parked: Gauge
    private let metrics: Metrics

    init(_ metrics: Metrics) {
        self.metrics = metrics
        accepted = metrics.counter("meridian_fx_exchanges_accepted_total", help: "Exchanges written down.")
        replayed = metrics.counter("meridian_fx_exchanges_replayed_total", help: "Requests under a known id.")
        refused = metrics.counter("meridian_fx_exchanges_refused_total", help: "Requests refused by rule.")
        recovered = metrics.counter("meridian_fx_exchanges_recovered_total", help: "Exchanges taken over or looked at.")
        fenced = metrics.counter("meridian_fx_drives_fenced_total", help: "Drivers stopped by a newer epoch.")
        stopped = metrics.counter("meridian_fx_drives_stopped_total", help: "Drivers stopped by an error of the store.")
        contradictions = metrics.counter(
            "meridian_fx_contradictions_total", help: "Answers that break a participant's promises.")
        duplicateEvents = metrics.counter("meridian_fx_events_without_effect_total", help: "Messages known before.")
        deadLetters = metrics.counter("meridian_fx_events_buried_total", help: "Messages that can have no effect.")
        open = metrics.gauge("meridian_fx_exchanges_open", help: "Exchanges that have not ended.")
        overdue = metrics.gauge("meridian_fx_exchanges_overdue", help: "Open exchanges older than the alert age.")
        parked = metrics.gauge("meridian_fx_exchanges_parked", help: "Open exchanges that wait for a person.")
    }

    func entered(_ state: ExchangeState) {
        metrics.counter(
            "meridian_fx_states_entered_total", help: "Lines of the logs, by state.", labels: ["state": state.rawValue]
        ).increment()
    }

    func count(_ call: ExchangeStep.Call, _ answer: LegAnswer) {
        let outcome =
            switch answer.result {
            case .applied: "applied"
            case .refused: "refused"
            case .sealed: "sealed"
            case .unknown: "unknown"
            }
        metrics.counter(
            "meridian_fx_leg_answers_total", help: "Answers of the account services.",
            labels: ["call": call.name, "outcome": outcome]
        ).increment()
    }
}
