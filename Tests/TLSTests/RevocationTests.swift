import TLS
import TestSupport
import Testing

/// Tries a client against a server with this revocation list; returns what the server said.
private func refusal(
    of client: TLSIdentity, _ authority: TestAuthority, revocationList: PEM
) throws -> TLSError? {
    let server = identity(try authority.issue("server", alternativeNames: ["DNS:server.test"]))
    let context = try TLSContext(
        server: TLSServerConfiguration(
            identity: server, trustRoots: .file(authority.root), revocationList: revocationList,
            clientCertificates: .required))
    let clientContext = try TLSContext(
        client: TLSClientConfiguration(identity: client, trustRoots: .file(authority.root)))
    let (side, serverSide) = (try TLSEngine(clientContext, serverName: "server.test"), try TLSEngine(context))
    return shakeHands(side, serverSide).server
}

@Test func aRevokedClientIsRefusedAndAnotherGoesOn() throws {
    let authority = try TestAuthority()
    let bad = try authority.issue("bad", alternativeNames: ["DNS:bad.test"])
    let good = try authority.issue("good", alternativeNames: ["DNS:good.test"])
    let list = PEM.file(try authority.revocationList([bad]))
    #expect(try refusal(of: identity(bad), authority, revocationList: list) == .certificate("certificate revoked"))
    #expect(try refusal(of: identity(good), authority, revocationList: list) == nil)
}

@Test func aListThatIsOutOfDateLetsNobodyIn() throws {
    let authority = try TestAuthority()
    let client = identity(try authority.issue("client", alternativeNames: ["DNS:client.test"]))
    let list = PEM.file(try authority.revocationList(isCurrent: false))
    #expect(try refusal(of: client, authority, revocationList: list) == .certificate("CRL has expired"))
}

@Test func everyCertificateOfTheChainIsLookedUp() throws {
    let root = try TestAuthority()
    let intermediate = try TestAuthority(under: root)
    let issued = try intermediate.issue("client", alternativeNames: ["DNS:client.test"])
    let folder = try CertificateFolder()
    try folder.replace(folder.certificate, with: [issued.certificate, intermediate.root])
    let client = TLSIdentity(certificateChain: .file(folder.certificate), privateKey: .file(issued.key))

    try folder.replace(folder.revocations, with: [root.revocationList(), intermediate.revocationList()])
    #expect(try refusal(of: client, root, revocationList: .file(folder.revocations)) == nil)
    try folder.replace(
        folder.revocations, with: [root.revocationList([intermediate.own]), intermediate.revocationList()])
    var error = try refusal(of: client, root, revocationList: .file(folder.revocations))
    #expect(error == .certificate("certificate revoked"))
    // No list of the intermediate authority.
    try folder.replace(folder.revocations, with: [root.revocationList()])
    error = try refusal(of: client, root, revocationList: .file(folder.revocations))
    #expect(error == .certificate("unable to get certificate CRL"))
}

@Test func aBrokenListIsNamed() throws {
    let authority = try TestAuthority()
    let folder = try CertificateFolder()
    try folder.writeHalf(of: try authority.revocationList(), to: folder.revocations)
    for list in [PEM.file(folder.revocations), .file(authority.root), .bytes([])] {
        let client = identity(try authority.issue("client", alternativeNames: ["DNS:client.test"]))
        #expect(throws: TLSError.self) { try refusal(of: client, authority, revocationList: list) }
    }
}
