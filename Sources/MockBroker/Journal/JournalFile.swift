internal import DequeModule
internal import Glibc

/// The append-only file that is the broker's truth.
///
/// After `open` it is used by one thread at a time. One process owns it: a second one is refused. Bytes that a crash
/// left half written at the end are cut; damage anywhere else is an error, since truth would be missing.
package final class JournalFile: @unchecked Sendable {
    // @unchecked: the descriptor and the position belong to whoever opened the file and then to the writer's thread.

    private static let magic = Array("MERIDIAN-BROKER2".utf8)
    private static let readBytes = 1 << 20

    private let descriptor: Int32
    private var end = 0
    /// Where batches began, and when they were written, oldest first.
    private var latest = Deque<(time: ContinuousClock.Instant, offset: Int)>()
    /// Batches that can be taken back; earlier ones stay.
    private static let latestLimit = 65_536
    /// Batches in the file.
    package private(set) var sequence: UInt64 = 0
    /// Bytes of an unfinished batch that were cut when the file was opened.
    package private(set) var cutBytes = 0

    /// Opens or creates the file and hands every record in it to `body`, oldest first.
    package static func open(
        path: String, _ body: (JournalRecord) throws(InvalidRecord) -> Void
    ) throws(JournalError) -> JournalFile {
        let file = try JournalFile(path: path)
        try file.recover(body)
        return file
    }

    private init(path: String) throws(JournalError) {
        descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(call: "open", code: errno) }
        guard Self.lock(descriptor) else {
            let code = errno
            close(descriptor)
            throw code == EWOULDBLOCK ? .inUse : .system(call: "flock", code: code)
        }
        do {
            try Self.syncDirectory(of: path)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// Takes the file for this process. Tries for a quarter of a second: a process that was killed, or one between fork
    /// and exec, holds it a moment longer than it lives.
    private static func lock(_ descriptor: Int32) -> Bool {
        for _ in 0..<50 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            guard errno == EWOULDBLOCK else { return false }
            usleep(5000)
        }
        errno = EWOULDBLOCK
        return false
    }

    /// Writes one batch and waits until it is on disk. After an error the file must not be written any more, because
    /// nobody knows what the disk holds.
    package func append(payload: [UInt8]) throws(JournalError) {
        let frame = JournalFrame.frame(sequence: sequence + 1, payload: payload)
        if latest.count == Self.latestLimit { latest.removeFirst() }
        latest.append((.now, end))
        try write(frame, at: end)
        guard fdatasync(descriptor) == 0 else { throw .system(call: "fdatasync", code: errno) }
        end += frame.count
        sequence += 1
    }

    /// Takes back what was written, as a disk does that had not kept its word. Nothing may be written afterwards.
    package func lose(_ loss: CrashLoss) throws(JournalError) {
        switch loss {
        case .nothing: break
        case .everything: try truncate(to: Self.magic.count)
        case .lastWrites(let time):
            let start = ContinuousClock.now - time
            guard let first = latest.first(where: { $0.time >= start }) else { return }
            try truncate(to: first.offset)
        }
    }

    // MARK: Recovery

    private func recover(_ body: (JournalRecord) throws(InvalidRecord) -> Void) throws(JournalError) {
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size >= 0 else { throw .system(call: "lseek", code: errno) }
        let magic = try read(min(size, Self.magic.count), at: 0)
        guard magic[...] == Self.magic.prefix(magic.count) else { throw .notAJournal }
        guard magic.count == Self.magic.count else {
            try write(Self.magic, at: 0)
            try truncate(to: Self.magic.count)
            return
        }
        end = magic.count
        while let (header, payload) = try intactFrame(at: end, size: size), header.sequence == sequence + 1 {
            let records: [JournalRecord]
            do { records = try JournalFrame.records(payload[...]) } catch { throw .unreadable(offset: end, error) }
            for record in records {
                do { try body(record) } catch { throw .contradiction(offset: end, error) }
            }
            sequence = header.sequence
            end += JournalFrame.headerBytes + payload.count
        }
        guard end < size else { return }
        guard try !hasLaterFrame(after: end, size: size) else { throw .corrupt(offset: end) }
        cutBytes = size - end
        try truncate(to: end)
    }

    private func intactFrame(
        at offset: Int, size: Int
    ) throws(JournalError) -> (header: JournalFrame.Header, payload: [UInt8])? {
        guard size - offset >= JournalFrame.headerBytes else { return nil }
        guard let header = JournalFrame.header(try read(JournalFrame.headerBytes, at: offset)[...]) else { return nil }
        guard size - offset - JournalFrame.headerBytes >= header.payloadBytes else { return nil }
        let payload = try read(header.payloadBytes, at: offset + JournalFrame.headerBytes)
        return JournalFrame.isIntact(header, payload[...]) ? (header, payload) : nil
    }

    /// Whether a whole batch follows a damaged one: then this is no torn tail, because batches are written one after
    /// the other, each only when the one before it is on disk.
    private func hasLaterFrame(after damage: Int, size: Int) throws(JournalError) -> Bool {
        var offset = damage
        while offset + JournalFrame.headerBytes <= size {
            let window = try read(min(Self.readBytes, size - offset), at: offset)
            let last = window.count - JournalFrame.headerBytes
            for index in 0...last {
                // Later batches have the next few numbers; anything else is no header, and costs no checksum.
                guard let header = JournalFrame.header(window[index...].prefix(JournalFrame.headerBytes)),
                    header.sequence > sequence, header.sequence - sequence < 1 << 24
                else { continue }
                if try intactFrame(at: offset + index, size: size) != nil { return true }
            }
            offset += last + 1
        }
        return false
    }

    // MARK: Calls

    private func read(_ count: Int, at offset: Int) throws(JournalError) -> [UInt8] {
        var code: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            done = 0
            while done < count {
                let result = unsafe pread(
                    descriptor, buffer.baseAddress! + done, count - done, off_t(offset + done))
                if result < 0, errno == EINTR { continue }
                guard result > 0 else {
                    code = result < 0 ? errno : EIO
                    return
                }
                done += result
            }
        }
        guard code == 0 else { throw .system(call: "pread", code: code) }
        return bytes
    }

    private func write(_ bytes: [UInt8], at offset: Int) throws(JournalError) {
        var code: Int32 = 0
        unsafe bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let result = unsafe pwrite(
                    descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
                if result < 0, errno == EINTR { continue }
                guard result > 0 else {
                    code = result < 0 ? errno : EIO
                    return
                }
                done += result
            }
        }
        guard code == 0 else { throw .system(call: "pwrite", code: code) }
    }

    private func truncate(to size: Int) throws(JournalError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw .system(call: "ftruncate", code: errno) }
        guard fsync(descriptor) == 0 else { throw .system(call: "fsync", code: errno) }
        end = size
    }

    /// The name of a new file is durable only when its directory is.
    private static func syncDirectory(of path: String) throws(JournalError) {
        let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let directory = unsafe Glibc.open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw .system(call: "open", code: errno) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw .system(call: "fsync", code: errno) }
    }
}

/// Why the journal cannot be used. Nothing was served from it.
package enum JournalError: Error, Hashable, Sendable {
    /// A system call failed with this `errno`.
    case system(call: String, code: Int32)
    /// Another process has it open.
    case inUse
    /// The file is something else; it was not touched.
    case notAJournal
    /// A batch in the middle is damaged: truth is missing, and a person has to decide.
    case corrupt(offset: Int)
    /// A batch is intact, but of a newer or foreign format.
    case unreadable(offset: Int, RecordCodingError)
    /// A record contradicts those before it.
    case contradiction(offset: Int, InvalidRecord)
}

extension JournalError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let code): "\(call) failed: errno \(code)"
        case .inUse: "another process uses this journal"
        case .notAJournal: "the file is no journal of a mock broker; it was not touched"
        case .corrupt(let offset): "the batch at byte \(offset) is damaged and later ones are not: restore the file"
        case .unreadable(let offset, let error): "the batch at byte \(offset) has an unknown format: \(error)"
        case .contradiction(let offset, let error): "the batch at byte \(offset) contradicts the ones before: \(error)"
        }
    }
}
