internal import RPCCore

/// Why an interop case has failed: something came that is not what the description says.
public struct Mismatch: Error, Hashable, CustomStringConvertible {
    public let subject: String
    public let expected: String
    public let actual: String

    init(_ subject: String, expected: String, actual: String) {
        self.subject = subject
        self.expected = expected
        self.actual = actual
    }

    public var description: String { "\(subject): expected \(expected), came \(actual)" }
}

func expect<Value: Equatable>(_ subject: String, _ actual: Value, is expected: Value) throws(Mismatch) {
    guard actual == expected else { throw Mismatch(subject, expected: "\(expected)", actual: "\(actual)") }
}

/// A payload of that many zeros.
func expect(_ subject: String, _ payload: Grpc_Testing_Payload?, zeros count: Int) throws(Mismatch) {
    let body = payload?.body ?? []
    try expect("size of \(subject)", body.count, is: count)
    try expect("bytes that are not zero in \(subject)", body.count { $0 != 0 }, is: 0)
}

/// A call that ends with this code, and this text unless it is nil.
func expect(
    _ subject: String, endsWith code: Status.Code, message: String? = nil, _ body: () async throws -> Void
) async throws {
    let status: Status
    do {
        try await body()
        status = .ok
    } catch let mismatch as Mismatch {
        throw mismatch
    } catch {
        status = Status(describing: error)
    }
    guard status.code == code else {
        throw Mismatch("status of \(subject)", expected: "\(code)", actual: "\(status)")
    }
    if let message {
        try expect("status message of \(subject)", status.message.debugDescription, is: message.debugDescription)
    }
}
