import RPCCore
import Testing

@testable import RPC

@Test func aWholeServiceConfigIsRead() throws {
    let config = try ServiceConfig(
        json: """
            {
              "loadBalancingPolicy": "ROUND_ROBIN",
              "loadBalancingConfig": [{"xds": {}}, {"round_robin": {}}, {"pick_first": {}}],
              "methodConfig": [
                {
                  "name": [{"service": "a.B", "method": "C"}, {"service": "a.D"}],
                  "waitForReady": true, "timeout": "1.5s", "maxRequestMessageBytes": 100,
                  "maxResponseMessageBytes": "200",
                  "retryPolicy": {
                    "maxAttempts": 9, "initialBackoff": ".1s", "maxBackoff": "1s", "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE", 10, "aborted"]
                  }
                },
                {"name": [{}], "timeout": "0.000000001s", "unknown": [null, true, "\\u00e9\\ud83d\\ude00"]}
              ],
              "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1234},
              "healthCheckConfig": {"serviceName": "a.B"}
            }
            """)
    #expect(config.loadBalancing == .roundRobin && config.healthCheckedService == "a.B")
    #expect(config.retryThrottling == RetryThrottling(maximumTokens: 10, tokenThousandths: 123))
    var first = MethodConfig(names: [MethodName(service: "a.B", method: "C"), MethodName(service: "a.D")])
    first.waitsForReady = true
    first.timeout = .milliseconds(1500)
    first.maximumRequestBytes = 100
    first.maximumResponseBytes = 200
    first.retryPolicy = RetryPolicy(
        maximumAttempts: 5, initialBackoff: .milliseconds(100), maximumBackoff: .seconds(1), backoffMultiplier: 2,
        retryableCodes: [.unavailable, .aborted])
    var rest = MethodConfig(names: [.all])
    rest.timeout = .nanoseconds(1)
    #expect(config.methods == [first, rest])
    #expect(config.method(at: "/a.B/C") == first && config.method(at: "/a.D/Any") == first)
    #expect(config.method(at: "/a.B/Other") == rest && config.method(at: "/x.Y/Z") == rest)
}

@Test func anEmptyConfigChangesNothing() throws {
    #expect(try ServiceConfig(json: "{}") == ServiceConfig())
    #expect(ServiceConfig().method(at: "/a.B/C") == nil)
}

private let retry = #""maxAttempts": 2, "initialBackoff": "1s", "maxBackoff": "1s", "backoffMultiplier": 1"#

@Test(
    arguments: [
        ("", "no JSON: a value is expected at byte 0"), ("[]", "the config is no object"), ("{} x", "no JSON"),
        (#"{"a": 1, "a": 2}"#, "\"a\" occurs twice"), (#"{"a": 01}"#, "no JSON"),
        (#"{"a": "\ud800"}"#, "half a character"),
        (String(repeating: "[", count: 100), "nested too deeply"),
        (#"{"loadBalancingPolicy": "grpclb"}"#, "loadBalancingPolicy: is not known"),
        (#"{"loadBalancingConfig": [{"xds": {}}]}"#, "loadBalancingConfig: none of its policies is known"),
        (#"{"loadBalancingConfig": [{}]}"#, "loadBalancingConfig[0]: is an object with one policy"),
        (#"{"methodConfig": {}}"#, "methodConfig: is an array"),
        (#"{"methodConfig": [{"name": [{"method": "C"}]}]}"#, "methodConfig[0].name[0]: a method without its service"),
        (#"{"methodConfig": [{"name": [{}]}, {"name": [{}]}]}"#, "methodConfig[1]: / is named twice"),
        (#"{"methodConfig": [{"timeout": "1"}]}"#, "methodConfig[0].timeout: is a duration"),
        (#"{"methodConfig": [{"timeout": "-1s"}]}"#, "methodConfig[0].timeout: is a duration"),
        (#"{"methodConfig": [{"timeout": "0.0000000001s"}]}"#, "methodConfig[0].timeout: is a duration"),
        (#"{"methodConfig": [{"waitForReady": "yes"}]}"#, "methodConfig[0].waitForReady: is true or false"),
        (#"{"methodConfig": [{"maxRequestMessageBytes": -1}]}"#, "methodConfig[0].maxRequestMessageBytes: is a whole"),
        (#"{"methodConfig": [{"hedgingPolicy": {}}]}"#, "methodConfig[0].hedgingPolicy: hedging is not supported"),
        (#"{"methodConfig": [{"retryPolicy": {}}]}"#, "methodConfig[0].retryPolicy: maxAttempts is missing"),
        (
            #"{"methodConfig": [{"retryPolicy": {"maxAttempts": 1}}]}"#,
            "methodConfig[0].retryPolicy.maxAttempts: is at least 2"
        ),
        (
            #"{"methodConfig": [{"retryPolicy": {\#(retry), "retryableStatusCodes": []}}]}"#,
            "methodConfig[0].retryPolicy.retryableStatusCodes: is not empty"
        ),
        (
            #"{"methodConfig": [{"retryPolicy": {\#(retry), "retryableStatusCodes": ["NO"]}}]}"#,
            "methodConfig[0].retryPolicy.retryableStatusCodes[0]: is a status code"
        ),
        (
            #"{"methodConfig": [{"retryPolicy": {\#(retry), "retryableStatusCodes": ["OK"]}}]}"#,
            "methodConfig[0].retryPolicy.retryableStatusCodes[0]: OK is no failure"
        ),
        (#"{"retryThrottling": {"maxTokens": 1001}}"#, "retryThrottling.maxTokens: is between 1 and 1000"),
        (#"{"retryThrottling": {"maxTokens": 5, "tokenRatio": 0}}"#, "retryThrottling.tokenRatio: is above 0"),
        (#"{"healthCheckConfig": {"serviceName": 1}}"#, "healthCheckConfig.serviceName: is a string"),
    ] as [(String, String)])
func badConfigsAreExplained(_ json: String, _ problem: String) {
    let error = #expect(throws: ServiceConfigError.self) { try ServiceConfig(json: json) }
    #expect(error?.description.contains(problem) == true, "\(error.map(\.description) ?? "none")")
}

@Test func pausesGrowToTheirMaximum() {
    let policy = RetryPolicy(
        maximumAttempts: 5, initialBackoff: .milliseconds(100), maximumBackoff: .milliseconds(350),
        backoffMultiplier: 2, retryableCodes: [.unavailable])
    #expect(
        (1...4).map { policy.pause(beforeRetry: $0, random: 200) } == [100, 200, 350, 350].map(Duration.milliseconds))
    #expect(policy.pause(beforeRetry: 1, random: 0) == .milliseconds(80))
    #expect(policy.pause(beforeRetry: 1, random: 400) == .milliseconds(120))
    #expect(policy.pause(beforeRetry: 3, random: 400) == .milliseconds(420))
}

/// What A6 decides, without a network.
@Test func theLedgerOfACall() throws {
    let policy = RetryPolicy(
        maximumAttempts: 5, initialBackoff: .milliseconds(100), maximumBackoff: .seconds(10), backoffMultiplier: 2,
        retryableCodes: [.unavailable])
    var ledger = RetryLedger(policy: policy)
    func pause(_ status: Status, _ reach: AttemptReach) -> Duration? {
        ledger.pauseAfter(status, reach, throttle: nil, random: 200)
    }
    let unavailable = Status(.unavailable)
    for _ in 0..<100 { #expect(pause(unavailable, .unsent) == .zero) }
    #expect(pause(unavailable, .refused) == .zero && ledger.transparentRetries == 101)
    #expect(pause(unavailable, .refused) == .milliseconds(100))
    #expect(pause(unavailable, .unplaced) == .milliseconds(200))
    let pushback = Status(.unavailable, metadata: ["grpc-retry-pushback-ms": "7"])
    #expect(pause(pushback, .sent) == .milliseconds(7))
    // The pauses begin anew.
    #expect(pause(unavailable, .sent) == .milliseconds(100))
    #expect(pause(unavailable, .sent) == nil)
    #expect(ledger.retries == 4 && ledger.delay == .milliseconds(407))
    var without = RetryLedger(policy: nil)
    #expect(without.pauseAfter(unavailable, .sent, throttle: nil, random: 0) == nil)
    #expect(without.pauseAfter(unavailable, .unplaced, throttle: nil, random: 0) == nil)
    #expect(without.pauseAfter(unavailable, .refused, throttle: nil, random: 0) == .zero)
    #expect(without.pauseAfter(unavailable, .refused, throttle: nil, random: 0) == nil)
}

@Test func theMessagesOfHealthAreCoded() {
    #expect(HealthMessages.request(service: "") == [])
    #expect(HealthMessages.request(service: "a.B") == [0x0A, 3] + Array("a.B".utf8))
    let long = String(repeating: "x", count: 300)
    #expect(HealthMessages.request(service: long) == [0x0A, 0xAC, 0x02] + Array(long.utf8))
    #expect(HealthMessages.status([]) == 0 && HealthMessages.status([0x08, 0x01]) == 1)
    #expect(HealthMessages.status([0x12, 1, 65, 0x1D, 1, 2, 3, 4, 0x08, 0x02]) == 2)
    for bad in [[0x08], [0x12, 5, 1], [0x0B], [0x19, 1], [UInt8](repeating: 0xFF, count: 11)] as [[UInt8]] {
        #expect(HealthMessages.status(bad) == nil)
    }
}
