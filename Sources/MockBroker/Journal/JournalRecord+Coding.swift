extension JournalRecord {
    private enum Tag: UInt8 {
        case within = 0
        case created, deleted
    }

    /// The one form of this record in bytes.
    package var encoded: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .within(let name, let record):
            writer.append(Tag.within.rawValue)
            // The usual one takes a byte.
            writer.append(name == Namespaces.defaultName ? "" : name)
            writer.append(raw: record.encoded)
        case .created(let name):
            writer.append(Tag.created.rawValue)
            writer.append(name)
        case .deleted(let name):
            writer.append(Tag.deleted.rawValue)
            writer.append(name)
        }
        return writer.bytes
    }

    /// Reads one record that fills `bytes`.
    package init(decoding bytes: ArraySlice<UInt8>) throws(RecordCodingError) {
        var reader = ByteReader(bytes)
        let byte = try reader.byte()
        guard let tag = Tag(rawValue: byte) else { throw .unknownTag(byte) }
        let name = try reader.text()
        switch tag {
        case .within:
            self = .within(name.isEmpty ? Namespaces.defaultName : name, try BrokerRecord(decoding: reader.rest()))
        case .created: self = .created(name)
        case .deleted: self = .deleted(name)
        }
        guard tag == .within || reader.isAtEnd else { throw .malformed }
    }
}
