internal import Synchronization

/// Certificates, keys and rules that many connections share, and that follow their files.
///
/// When a connection begins, and the last look is a second old, the files are looked at; if they have changed and have
/// been left alone for a second, they are read again. Only a set that is whole and fits together takes effect, for
/// connections that begin from then on; otherwise everything stays as it was. Connections that are there live on:
/// nothing is resumed, so a new one always proves itself anew. A look costs one `stat` for each file, a reading about a
/// millisecond, on the thread that makes the connection: keep the files on a local disk. Any thread.
public final class TLSContext: Sendable {
    /// What became of files that have changed.
    public enum Reload: Sendable, Hashable {
        case taken
        /// What is in force stays. Told once for each state of the files.
        case refused(TLSError)
    }

    /// When files are read again.
    public struct FileChecks: Sendable, Hashable {
        /// Between two looks at the files.
        public var interval: Duration
        /// How long a changed file must have been left alone: it might be half written.
        public var settlingTime: Duration

        public init(interval: Duration = .seconds(1), settlingTime: Duration = .seconds(1)) {
            self.interval = interval
            self.settlingTime = settlingTime
        }
    }

    private struct State {
        var material: TLSMaterial
        /// The files that `material` was read from.
        var files: [FileIdentity?]
        var refusal: Refusal?
        var nextLook: ContinuousClock.Instant
    }

    private struct Refusal: Hashable {
        var files: [FileIdentity?]
        var error: TLSError
    }

    private let paths: [String]
    private let checks: FileChecks
    private let read: @Sendable () throws(TLSError) -> TLSMaterial
    private let onReload: @Sendable (Reload) -> Void
    private let state: Mutex<State>

    /// A server's side. Throws `configuration` when a file cannot be read or a key does not fit its certificate.
    ///
    /// - Parameter onReload: called on the thread that has read the files again.
    public convenience init(
        server configuration: TLSServerConfiguration, checks: FileChecks = .init(),
        onReload: @escaping @Sendable (Reload) -> Void = { _ in }
    ) throws(TLSError) {
        let identity = configuration.identity
        try self.init(
            [identity.certificateChain, identity.privateKey, configuration.trustRoots, configuration.revocationList],
            checks, onReload
        ) { () throws(TLSError) in try TLSMaterial(server: configuration) }
    }

    /// A client's side. Like `init(server:)`; the system's trust roots are read once.
    public convenience init(
        client configuration: TLSClientConfiguration, checks: FileChecks = .init(),
        onReload: @escaping @Sendable (Reload) -> Void = { _ in }
    ) throws(TLSError) {
        let identity = configuration.identity
        try self.init(
            [identity?.certificateChain, identity?.privateKey, configuration.trustRoots, configuration.revocationList],
            checks, onReload
        ) { () throws(TLSError) in try TLSMaterial(client: configuration) }
    }

    private init(
        _ sources: [PEM?], _ checks: FileChecks, _ onReload: @escaping @Sendable (Reload) -> Void,
        read: @escaping @Sendable () throws(TLSError) -> TLSMaterial
    ) throws(TLSError) {
        paths = sources.compactMap { $0?.path }
        self.checks = checks
        self.onReload = onReload
        self.read = read
        // Looked at first: what changes meanwhile is seen at the next look.
        let files = paths.map(FileIdentity.init(path:))
        state = Mutex(State(material: try read(), files: files, nextLook: .now + checks.interval))
    }

    /// What a connection that begins now uses.
    func current() -> TLSMaterial {
        guard !paths.isEmpty else { return state.withLock { $0.material } }
        let now = ContinuousClock.now
        let isDue = state.withLock { state in
            guard now >= state.nextLook else { return false }
            state.nextLook = now + checks.interval
            return true
        }
        if isDue { look() }
        return state.withLock { $0.material }
    }

    private func look() {
        let files = paths.map(FileIdentity.init(path:))
        let known = state.withLock { $0.files }
        guard files != known else { return }
        guard files.allSatisfy({ $0?.isSettled(for: checks.settlingTime) ?? true }) else { return }
        let result = Result { () throws(TLSError) in try read() }
        // Changed while it was read: what was read may be of both states.
        guard paths.map(FileIdentity.init(path:)) == files else { return }
        switch result {
        case .success(let material):
            let isNew = state.withLock { state in
                // Another thread has read them as well, perhaps in a later state.
                guard state.files == known else { return false }
                state.material = material
                state.files = files
                state.refusal = nil
                return true
            }
            if isNew { onReload(.taken) }
        case .failure(let error):
            let refusal = Refusal(files: files, error: error)
            let isNew = state.withLock { state in
                defer { state.refusal = refusal }
                return state.refusal != refusal
            }
            if isNew { onReload(.refused(error)) }
        }
    }
}
