internal import CLibpq

extension PostgresError {
    /// The error that a result of status `PGRES_FATAL_ERROR` describes.
    init(result: QueryResult) {
        guard let code = result.errorField("C") else {
            // Made by libpq itself: the connection broke.
            let text = unsafe String(cString: PQresultErrorMessage(result.handle))
            self = .connection(.connectionLost, text)
            return
        }
        let state = SQLState(rawValue: code)
        let primary = result.errorField("M") ?? "the server gave no message"
        self.init(
            .server(state), Self.redacted(primary, state), constraint: result.errorField("n"),
            table: result.errorField("t"), column: result.errorField("c"))
    }

    /// The error of a connection that could not be made; `text` is libpq's verbose message.
    ///
    /// A refusal by the server reads `FATAL:  28P01: password authentication failed…` and a line `LOCATION: …`.
    init(connecting text: String) {
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("LOCATION:") }
        let words = lines.last?.split(separator: " ") ?? []
        let code = words.first { $0.utf8.count == 6 && $0.last == ":" && $0.first?.isNumber == true }?.dropLast()
        let message = lines.joined(separator: " ")
        if let code, words.count > 2 {
            self.init(.server(SQLState(rawValue: String(code))), message)
        } else {
            self.init(.unavailable, message.isEmpty ? "no connection could be made" : message)
        }
    }

    /// Whether another attempt to connect is pointless until someone changes something: wrong user, password or
    /// database, or no right to connect.
    var isPermanentRefusal: Bool {
        guard let sqlState else { return false }
        return ["28", "3D", "42"].contains(sqlState.classCode)
    }

    /// The error of a connection that has ended; `text` is what libpq says about it.
    static func connection(_ reason: Reason, _ text: String, certainty: Certainty = .notApplied) -> PostgresError {
        var text = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        if text.isEmpty { text = "the server closed the connection" }
        return PostgresError(reason, text, certainty: certainty)
    }

    /// Data exceptions (class 22) quote the offending value in their primary message: replace what is quoted.
    static func redacted(_ message: String, _ state: SQLState) -> String {
        guard state.classCode == "22" else { return message }
        var text = ""
        var quoted = false
        for character in message {
            if character == "\"" {
                if !quoted { text += "\"…\"" }
                quoted.toggle()
            } else if !quoted {
                text.append(character)
            }
        }
        return text
    }
}
