internal import Foundation

/// A folder with the files that a TLS context follows, to be exchanged while it is in use; goes with the value.
public final class CertificateFolder: Sendable {
    public let path: String
    public var certificate: String { "\(path)/own.pem" }
    public var key: String { "\(path)/own.key" }
    public var roots: String { "\(path)/roots.pem" }
    public var revocations: String { "\(path)/revocations.pem" }

    public init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "certificates-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Puts a certificate and its key in place, one after the other.
    public func install(_ issued: TestAuthority.Issued) throws {
        try replace(certificate, with: [issued.certificate])
        try replace(key, with: [issued.key])
    }

    /// Puts the content of `sources` at `target` in one step.
    public func replace(_ target: String, with sources: [String]) throws {
        var content = Data()
        for source in sources { content += try Data(contentsOf: URL(filePath: source)) }
        try content.write(to: URL(filePath: target), options: .atomic)
    }

    /// Writes the first half of `source` over what is at `target`.
    public func writeHalf(of source: String, to target: String) throws {
        let content = try Data(contentsOf: URL(filePath: source))
        try content.prefix(content.count / 2).write(to: URL(filePath: target))
    }
}
