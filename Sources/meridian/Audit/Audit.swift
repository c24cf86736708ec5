import ArgumentParser
import EventLoop
import RPC

/// `meridian audit`: do the books of all parts agree?
struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare broker, receiver, trading and accounts; exit with the number of broken checks.",
        discussion: """
            Looks at the stack that runs in --folder. Work under way shows as differences: let it come to rest first.

            EXAMPLES
              meridian audit
              meridian audit --folder /var/tmp/other
            """)

    @Option(name: .long, help: "The data folder of a running stack.")
    var folder: String = StackFolder.defaultPath

    func run() async throws {
        let stack = StackFolder(path: folder)
        let group = try EventLoopGroup(name: "audit", count: 1)
        let books = try await Books.read { service, control in
            RPCClientChannel(
                target: .unix(path: stack.socket(of: service, control: control)),
                tls: try stack.certificates.client(as: "operator", to: service), group: group)
        }
        let checks = Auditor.check(books)
        for check in checks { print(check.text) }
        let broken = checks.filter { !$0.passed }.count
        print(broken == 0 ? "The books agree." : "\(broken) of \(checks.count) checks failed.")
        if broken > 0 { throw ExitCode(Int32(min(broken, 100))) }
    }
}
