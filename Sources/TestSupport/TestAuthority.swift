internal import Foundation

/// A private certificate authority for tests, in a directory of its own that goes with it. Uses the `openssl` program.
public final class TestAuthority: Sendable {
    /// A tool failed; the text is what it said.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// Paths of a certificate and of the key to it.
    public struct Issued: Sendable {
        public let certificate: String
        public let key: String
    }

    private let directory: String

    public init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "authority-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try openssl("ecparam -name prime256v1 -genkey -noout -out ca.key")
        try openssl("req -x509 -new -key ca.key -sha256 -days 2 -subj /CN=test-authority -out ca.pem")
    }

    /// An authority whose certificate another one has issued.
    public init(under parent: TestAuthority) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "authority-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data("basicConstraints=critical,CA:TRUE\n".utf8).write(to: URL(filePath: "\(directory)/ca.ext"))
        try openssl("ecparam -name prime256v1 -genkey -noout -out ca.key")
        try openssl("req -new -key ca.key -subj /CN=test-intermediate -out ca.csr")
        try openssl(
            "x509 -req -in ca.csr -CA \(parent.root) -CAkey \(parent.directory)/ca.key -CAcreateserial -sha256 -days 2 "
                + "-extfile ca.ext -out ca.pem")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// The path of the authority's own certificate.
    public var root: String { "\(directory)/ca.pem" }

    /// That certificate and the key to it.
    public var own: Issued { Issued(certificate: root, key: "\(directory)/ca.key") }

    /// A certificate for `name`, with these alternative names (`DNS:x`, `URI:y`, `IP:z`).
    ///
    /// - Parameter days: how long it is valid; negative for one that has expired already.
    public func issue(_ name: String, alternativeNames: [String], days: Int = 2) throws -> Issued {
        let file = "\(name)-\(UUID().uuidString)"
        let extensions = "subjectAltName=\(alternativeNames.joined(separator: ","))\n"
        try Data(extensions.utf8).write(to: URL(filePath: "\(directory)/\(file).ext"))
        try openssl("ecparam -name prime256v1 -genkey -noout -out \(file).key")
        try openssl("req -new -key \(file).key -subj /CN=\(name) -out \(file).csr")
        try openssl(
            "x509 -req -in \(file).csr -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days \(days) "
                + "-extfile \(file).ext -out \(file).pem")
        return Issued(certificate: "\(directory)/\(file).pem", key: "\(directory)/\(file).key")
    }

    /// The path of a list of revoked certificates: these.
    ///
    /// - Parameter isCurrent: false for a list that should have been replaced already.
    public func revocationList(_ revoked: [Issued] = [], isCurrent: Bool = true) throws -> String {
        let file = "crl-\(UUID().uuidString)"
        let settings = "[ca]\ndefault_ca=own\n[own]\ndatabase=\(file).index\ndefault_md=sha256\n"
        try Data(settings.utf8).write(to: URL(filePath: "\(directory)/\(file).cnf"))
        try Data().write(to: URL(filePath: "\(directory)/\(file).index"))
        let own = "ca -config \(file).cnf -keyfile ca.key -cert ca.pem"
        for certificate in revoked { try openssl("\(own) -revoke \(certificate.certificate)") }
        let dates = isCurrent ? "-crldays 2" : "-crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z"
        try openssl("\(own) -gencrl \(dates) -out \(file).pem")
        return "\(directory)/\(file).pem"
    }

    /// A fresh pair of keys of this algorithm (`ed25519`, `X25519`), in PEM form.
    public func makeKeyPair(_ algorithm: String) throws -> (privateKey: String, publicKey: String) {
        let file = UUID().uuidString
        try openssl("genpkey -algorithm \(algorithm) -out \(file).key")
        try openssl("pkey -in \(file).key -pubout -out \(file).pub")
        return (
            try String(contentsOfFile: "\(directory)/\(file).key", encoding: .utf8),
            try String(contentsOfFile: "\(directory)/\(file).pub", encoding: .utf8)
        )
    }

    private func openssl(_ arguments: String) throws {
        let result = try Program.run("openssl", arguments.split(separator: " ").map(String.init), folder: directory)
        guard result.status == 0 else {
            throw Failure(description: "openssl \(arguments): \(result.text)\(result.errors)")
        }
    }
}
