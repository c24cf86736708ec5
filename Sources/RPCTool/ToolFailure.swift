package import RPCCore

/// Why the tool could not do what it was asked to; each case has an exit code of its own.
package enum ToolFailure: Error, Sendable, CustomStringConvertible {
    /// What was asked for makes no sense, and nothing was sent.
    case invalid(String)
    /// The server cannot be reached.
    case notConnected(String)
    /// What the server speaks cannot be found out.
    case noSchema(String)
    /// The call ended with this status, which is not OK.
    case status(Status)
    /// A file could not be written, a reply not be shown.
    case other(String)

    /// 1 other, 2 not connected, 3 no schema, 64 invalid, 64 plus the code of a status.
    package var exitCode: Int32 {
        switch self {
        case .other: 1
        case .notConnected: 2
        case .noSchema: 3
        case .invalid: 64
        case .status(let status): 64 + Int32(status.code.rawValue)
        }
    }

    package var description: String {
        switch self {
        case .invalid(let text), .notConnected(let text), .noSchema(let text), .other(let text): text
        case .status(let status): "\(status)"
        }
    }
}
