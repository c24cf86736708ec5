package import Protobuf
package import RPCCore

/// A status with its details decoded: `google.rpc.Status` and the messages in it.
package struct StatusReport {
    package let status: Status
    /// Nil when there are no details, or they are not a `google.rpc.Status`.
    package let details: DynamicMessage?

    package init(_ status: Status) {
        self.status = status
        details =
            status.details.isEmpty ? nil : try? DynamicMessage(decoding: status.details, as: GoogleRPCStatus.schema)
    }

    /// For people: the code and the message, and a block for each detail.
    package func text(_ format: MessageText) -> String {
        var lines = ["\(status)"]
        guard let details, case .repeated(let elements)? = details["details"] else {
            if !status.details.isEmpty { lines.append("  details: \(status.details.count) bytes that cannot be read") }
            return lines.joined(separator: "\n")
        }
        for case .message(let detail) in elements {
            var name = "?"
            if case .string(let url)? = detail["type_url"] {
                name = url.split(separator: "/").last.map(String.init) ?? url
            }
            let text = (try? format.text(of: detail)) ?? "cannot be shown"
            lines.append("  \(name)")
            lines += text.split(separator: "\n").map { "    \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    /// For programs: `google.rpc.Status` in JSON, with the name of the code as "status".
    package func json(_ format: MessageText) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("code", .number("\(status.code.rawValue)")), .init("status", .string("\(status.code)")),
            .init("message", .string(status.message)),
        ]
        let options = JSONOptions(writesUnknownAnyAsBase64: true, types: format.types)
        if let details, case .object(let fields)? = try? details.json(options: options),
            let list = fields.first(where: { $0.name == "details" })
        {
            members.append(list)
        }
        return .object(members)
    }
}
