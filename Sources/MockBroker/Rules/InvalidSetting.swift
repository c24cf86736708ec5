/// A rule, a behaviour or a setting of the configuration that makes no sense. Nothing was changed.
public struct InvalidSetting: Error, Hashable, Sendable, CustomStringConvertible {
    /// The field, as the control contract names it: `latency.lognormal.sigma`.
    public let path: String
    /// What is wrong with it: `must be 0 to 5`.
    public let problem: String

    public init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    /// The same problem, seen from the message that holds the field.
    func within(_ outer: String) -> InvalidSetting { InvalidSetting(path: "\(outer).\(path)", problem: problem) }

    public var description: String { "\(path) \(problem)" }
}
