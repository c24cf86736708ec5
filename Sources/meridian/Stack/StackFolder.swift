import ArgumentParser
import Channel
import Cryptography
import Domain
import Foundation
import ServiceKit

/// Where a stack keeps what it needs: keys, sockets, data, logs, settings.
///
/// It lies under /var/tmp or /tmp, since PostgreSQL runs as another user who must reach it, and since a socket's path
/// has at most 107 bytes.
struct StackFolder: Sendable {
    let path: String

    /// Of `meridian up`.
    static let defaultPath = "/var/tmp/meridian-\(NSUserName())/up"

    var certificates: Certificates { Certificates(folder: "\(path)/certs") }
    var runFolder: String { "\(path)/run" }
    var redisSocket: String { "\(runFolder)/redis.sock" }
    var tokenKeyPath: String { "\(path)/certs/tokens.key" }

    func socket(of service: ServiceName, control: Bool = false) -> String {
        "\(runFolder)/\(service.rawValue)\(control ? "-control" : "").sock"
    }
    func log(of name: String) -> String { "\(path)/log/\(name).log" }
    func data(of name: String) -> String { "\(path)/data/\(name)" }
    func settings(of service: ServiceName) -> String { "\(path)/settings/\(service.rawValue).env" }

    /// Makes the folders; the outer ones can be traversed by other users, the keys are the owner's alone.
    func create() throws {
        let manager = FileManager.default
        for folder in ["", "/run", "/log", "/data", "/settings"] {
            try manager.createDirectory(
                atPath: path + folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        }
        try manager.createDirectory(
            atPath: "\(path)/certs", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    func token(for customer: String, validFor life: Duration = .seconds(3600)) throws -> String {
        guard let pem = try? String(contentsOfFile: tokenKeyPath, encoding: .utf8) else {
            throw ValidationError("There is no \(tokenKeyPath): start a stack first (meridian up), or give --folder.")
        }
        let id: CustomerID
        do {
            id = try CustomerID(customer)
        } catch {
            throw ValidationError("The customer's id: \(error)")
        }
        return try CustomerToken(customer: id, expires: .now + life).signed(with: try Ed25519PrivateKey(pem: pem))
    }
}
