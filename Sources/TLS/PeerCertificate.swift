internal import COpenSSL

/// The names in a verified certificate.
public struct PeerCertificate: Sendable, Hashable {
    /// The common name of the subject, or empty.
    public let commonName: String
    public let dnsNames: [String]
    public let uris: [String]

    /// Reads the names; the certificate stays the caller's. Names with embedded NUL are left out.
    init(reading certificate: OpaquePointer) {
        commonName = unsafe Self.commonName(certificate)
        var dnsNames: [String] = []
        var uris: [String] = []
        if let names = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) {
            let names = OpaquePointer(names)
            defer { unsafe GENERAL_NAMES_free(names) }
            let count = unsafe copenssl_name_count(names)
            for index in 0..<max(0, count) {
                guard let name = unsafe copenssl_name(names, index), let text = unsafe copenssl_name_text(name),
                    let value = unsafe Self.text(text)
                else { continue }
                if unsafe name.pointee.type == GEN_DNS { dnsNames.append(value) } else { uris.append(value) }
            }
        }
        self.dnsNames = dnsNames
        self.uris = uris
    }

    func isOneOf(_ allowed: Set<String>) -> Bool {
        uris.contains { allowed.contains($0) } || dnsNames.contains { allowed.contains($0.lowercased()) }
    }

    private static func commonName(_ certificate: OpaquePointer) -> String {
        guard let subject = unsafe X509_get_subject_name(certificate) else { return "" }
        let index = unsafe X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let entry = unsafe X509_NAME_get_entry(subject, index),
            let data = unsafe X509_NAME_ENTRY_get_data(entry)
        else { return "" }
        return unsafe text(data) ?? ""
    }

    private static func text(_ string: UnsafePointer<ASN1_STRING>) -> String? {
        let count = unsafe Int(ASN1_STRING_length(string))
        guard let start = unsafe ASN1_STRING_get0_data(string) else { return nil }
        let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
        guard !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
