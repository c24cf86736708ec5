internal import RPCCore

/// A value of a service config, with the way to it for messages.
struct JSONField {
    let path: String
    let value: JSONText

    func failure(_ problem: String) -> ServiceConfigError { ServiceConfigError(path: path, problem: problem) }

    func expectObject() throws(ServiceConfigError) {
        guard case .object = value else { throw failure(path.isEmpty ? "the config is no object" : "is an object") }
    }

    /// The member `key`; nil when it is missing or null.
    subscript(_ key: String) -> JSONField? {
        get throws(ServiceConfigError) {
            try expectObject()
            guard case .object(let members) = value, let member = members.first(where: { $0.key == key }),
                member.value != .null
            else { return nil }
            return JSONField(path: path.isEmpty ? key : "\(path).\(key)", value: member.value)
        }
    }

    func required(_ key: String) throws(ServiceConfigError) -> JSONField {
        guard let field = try self[key] else { throw failure("\(key) is missing") }
        return field
    }

    var elements: [JSONField] {
        get throws(ServiceConfigError) {
            guard case .array(let elements) = value else { throw failure("is an array") }
            return elements.enumerated().map { JSONField(path: "\(path)[\($0.offset)]", value: $0.element) }
        }
    }

    var text: String {
        get throws(ServiceConfigError) {
            guard case .string(let text) = value else { throw failure("is a string") }
            return text
        }
    }

    var flag: Bool {
        get throws(ServiceConfigError) {
            guard case .bool(let flag) = value else { throw failure("is true or false") }
            return flag
        }
    }

    var number: Double {
        get throws(ServiceConfigError) {
            guard case .number(let text) = value, let number = Double(text), number.isFinite else {
                throw failure("is a number")
            }
            return number
        }
    }

    /// A whole number of 0 or more, as a number or, as protobuf allows, as a string.
    var count: Int {
        get throws(ServiceConfigError) {
            let text: String
            switch value {
            case .number(let number), .string(let number): text = number
            default: throw failure("is a whole number")
            }
            guard let count = Int(text) ?? Double(text).flatMap(Int.init(exactly:)), count >= 0 else {
                throw failure("is a whole number of 0 or more")
            }
            return count
        }
    }

    /// Seconds with up to nine decimal places and an `s`, as protobuf writes a `Duration`.
    var duration: Duration {
        get throws(ServiceConfigError) {
            let problem = failure("is a duration such as \"1.5s\"")
            guard case .string(let text) = value, text.hasSuffix("s") else { throw problem }
            let parts = text.dropLast().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
            let fraction = parts.count == 2 ? parts[1] : ""
            let digits = parts[0] + fraction
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), fraction.count <= 9,
                let seconds = Int64(parts[0].isEmpty ? "0" : parts[0]), seconds <= 315_576_000_000,
                let nanoseconds = Int64(fraction + String(repeating: "0", count: 9 - fraction.count))
            else { throw problem }
            return .seconds(seconds) + .nanoseconds(nanoseconds)
        }
    }

    /// A duration above zero.
    var pause: Duration {
        get throws(ServiceConfigError) {
            let pause = try duration
            guard pause > .zero else { throw failure("is above zero") }
            return pause
        }
    }

    /// A status code by name or number, other than OK.
    var failureCode: Status.Code {
        get throws(ServiceConfigError) {
            let code: Status.Code?
            switch value {
            case .string(let name): code = Status.Code.allCases.first { $0.description == name.uppercased() }
            case .number(let text): code = Int(text).flatMap(Status.Code.init(rawValue:))
            default: code = nil
            }
            guard let code else { throw failure("is a status code such as \"UNAVAILABLE\"") }
            guard code != .ok else { throw failure("OK is no failure") }
            return code
        }
    }
}
