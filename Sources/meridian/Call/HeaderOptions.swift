import ArgumentParser
import Foundation
import Glibc
import RPCCore
import RPCTool

/// What goes with calls: the same for every command that makes some.
struct HeaderOptions: ParsableArguments {
    @Option(
        name: [.customShort("H"), .long],
        help:
            "A header for calls and reflection, \"name: value\"; @FILE reads one from each line of a file, @- of standard input. May be repeated."
    )
    var header: [String] = []

    @Option(name: .customLong("rpc-header"), help: "A header for calls only, like --header.")
    var rpcHeader: [String] = []

    @Option(name: .customLong("reflect-header"), help: "A header for reflection only, like --header.")
    var reflectHeader: [String] = []

    @Flag(
        name: .customLong("expand-headers"),
        help: "Put variables of the environment into headers: $NAME, ${NAME}; $$ is a $.")
    var expandsHeaders = false

    @Option(
        name: [.customShort("u"), .long],
        help: "NAME:PASSWORD for basic authentication; NAME alone asks at the terminal.")
    var user: String?

    @Flag(name: .long, help: "Take name and password from ~/.netrc.")
    var netrc = false

    @Option(name: .customLong("netrc-file"), help: "Take name and password from this file.", completion: .file())
    var netrcFile: String?

    func validate() throws {
        guard user == nil || (!netrc && netrcFile == nil) else {
            throw ValidationError("--user and --netrc are two ways to say the same.")
        }
    }

    /// Whether one of them reads standard input.
    var readsStandardInput: Bool { (header + rpcHeader + reflectHeader).contains("@-") }

    /// The lines for calls and for reflection, files read and variables put in.
    /// - Parameter host: whose entry in the netrc file counts.
    func lines(for host: String) throws -> (calls: [String], reflection: [String]) {
        var common = try header.flatMap(expanded)
        if let login = try login(for: host) { common.append(login) }
        return (common + (try rpcHeader.flatMap(expanded)), common + (try reflectHeader.flatMap(expanded)))
    }

    static func metadata(_ lines: [String]) throws -> Metadata {
        var metadata = Metadata()
        for line in lines { try HeaderText.append(line, to: &metadata) }
        return metadata
    }

    private func expanded(_ argument: String) throws -> [String] {
        let lines = argument.hasPrefix("@") ? HeaderText.lines(in: try InputText.read(argument)) : [argument]
        guard expandsHeaders else { return lines }
        return try lines.map { try HeaderText.expand($0, from: ProcessInfo.processInfo.environment) }
    }

    private func login(for host: String) throws -> String? {
        if let user {
            if let colon = user.firstIndex(of: ":") {
                return HeaderText.basic(
                    user: String(user[..<colon]), password: String(user[user.index(after: colon)...]))
            }
            guard let password = unsafe getpass("Password of \(user): ") else {
                throw ToolFailure.invalid("There is no terminal to ask for the password of \(user).")
            }
            return HeaderText.basic(user: user, password: unsafe String(cString: password))
        }
        guard netrc || netrcFile != nil else { return nil }
        let path = netrcFile ?? "\(NSHomeDirectory())/.netrc"
        guard let login = try Netrc(InputText.read("@\(path)")).login(for: host) else { return nil }
        return HeaderText.basic(user: login.user, password: login.password)
    }
}
