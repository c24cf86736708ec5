import MockBroker
import Testing

@Suite struct JournalTests {
    private let scratch: Scratch
    private let records = RecordCodingTests.samples.prefix(10).map { JournalRecord.within(Namespaces.defaultName, $0) }

    init() throws { scratch = try Scratch() }

    private func payload(_ records: some Sequence<JournalRecord>) -> [UInt8] {
        var payload: [UInt8] = []
        for record in records { JournalFrame.append(record: record.encoded, to: &payload) }
        return payload
    }

    private func read(_ name: String) throws -> (records: [JournalRecord], cutBytes: Int) {
        var records: [JournalRecord] = []
        let file = try JournalFile.open(path: scratch.path(name)) { record in records.append(record) }
        return (records, file.cutBytes)
    }

    /// Batches of one, two, three ... records; the file's length after each.
    private func write(_ name: String) throws -> [(records: Int, end: Int)] {
        let file = try JournalFile.open(path: scratch.path(name)) { _ in }
        var ends = [(records: 0, end: try scratch.bytes(name).count)]
        var count = 0
        while count < records.count {
            let batch = records[count..<min(records.count, count + ends.count)]
            try file.append(payload: payload(batch))
            count += batch.count
            ends.append((count, try scratch.bytes(name).count))
        }
        return ends
    }

    @Test func readsBackWhatWasWritten() throws {
        _ = try write("j")
        let found = try read("j")
        #expect(found.records == records)
        #expect(found.cutBytes == 0)
    }

    @Test func aFileThatEndsAnywhereKeepsItsWholeBatches() throws {
        let ends = try write("whole")
        let bytes = try scratch.bytes("whole")
        for length in 0..<bytes.count {
            try scratch.write(bytes[..<length], to: "torn")
            let found = try read("torn")
            let whole = ends.last { $0.end <= length } ?? (0, length)
            #expect(found.records == Array(records[..<whole.records]), "\(length) bytes")
            #expect(found.cutBytes == length - whole.end, "\(length) bytes")
            // What was cut stays cut, and the file goes on from there.
            #expect(try scratch.bytes("torn").count == max(whole.end, ends[0].end))
        }
    }

    @Test func goesOnAfterACut() throws {
        let ends = try write("j")
        let bytes = try scratch.bytes("j")
        try scratch.write(bytes[..<(ends[3].end + 5)], to: "j")
        do {
            let file = try JournalFile.open(path: scratch.path("j")) { _ in }
            try file.append(payload: payload(records[ends[3].records...]))
        }
        #expect(try read("j").records == records)
    }

    @Test func aDamagedByteIsNeverReadAsTruth() throws {
        let ends = try write("whole")
        let bytes = try scratch.bytes("whole")
        let lastStart = ends[ends.count - 2].end
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x40
            try scratch.write(damaged, to: "damaged")
            switch index {
            case ..<16: #expect(throws: JournalError.notAJournal) { try read("damaged") }
            case lastStart...:
                // The last batch cannot be told from one that was being written.
                #expect(try read("damaged").records == Array(records[..<ends[ends.count - 2].records]))
            default:
                let start = ends.last { $0.end <= index }!.end
                #expect(throws: JournalError.corrupt(offset: start), "byte \(index)") { try read("damaged") }
                #expect(try scratch.bytes("damaged") == damaged, "a corrupt file is not touched")
            }
        }
    }

    @Test func zeroesAfterTheEndAreCut() throws {
        _ = try write("j")
        try scratch.write(try scratch.bytes("j") + [UInt8](repeating: 0, count: 4096), to: "j")
        let found = try read("j")
        #expect(found.records == records)
        #expect(found.cutBytes == 4096)
    }

    @Test func oneOwnerAtATime() throws {
        let file = try JournalFile.open(path: scratch.path("j")) { _ in }
        #expect(throws: JournalError.inUse) { try read("j") }
        _ = consume file
        _ = try read("j")
    }

    @Test func refusesOtherFiles() throws {
        try scratch.write(Array("precious notes, no journal".utf8), to: "j")
        #expect(throws: JournalError.notAJournal) { try read("j") }
        #expect(throws: JournalError.system(call: "open", code: 2)) { try read("missing/j") }
    }

    @Test func contradictionsStopTheStart() throws {
        do {
            let file = try JournalFile.open(path: scratch.path("j")) { _ in }
            let accepted = records.first { if case .within(_, .accepted) = $0 { true } else { false } }!
            try file.append(payload: payload([accepted, accepted]))
        }
        #expect(throws: JournalError.self) { try Namespaces.read(scratch.path("j")) }
    }
}
