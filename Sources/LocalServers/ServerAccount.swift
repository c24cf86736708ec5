internal import Glibc

/// The user that servers run as: PostgreSQL refuses root.
package enum ServerAccount {
    /// A command that runs what follows as an unprivileged user and sends it `signal` when our thread ends.
    package static func command(onParentDeath signal: String? = nil) -> [String] {
        var command = ["setpriv"]
        if let user { command += ["--reuid=\(user)", "--regid=\(group(of: user))", "--clear-groups"] }
        if let signal { command += ["--pdeathsig", signal] }
        return command.count == 1 ? [] : command
    }

    /// Nil when we are not root and simply stay who we are.
    package static let user: String? = {
        guard geteuid() == 0 else { return nil }
        return unsafe getpwnam("postgres") != nil ? "postgres" : "nobody"
    }()

    private static func group(of user: String) -> String {
        guard let entry = unsafe getpwnam(user) else { return user }
        return "\(unsafe entry.pointee.pw_gid)"
    }
}
