package import Protobuf

/// Messages as JSON or in text format, both ways.
package struct MessageText: Sendable {
    package var format: MessageSplitter.Format
    /// Writes fields that have their default.
    package var includesDefaults = false
    /// Reads over names that the schema does not know.
    package var ignoresUnknownFields = false
    /// One line for each message, in JSON.
    package var isCompact = false
    /// What an `Any` may hold.
    package var types: SchemaPool

    package init(_ format: MessageSplitter.Format = .json, types: SchemaPool = .wellKnown) {
        self.format = format
        self.types = types
    }

    /// The bytes of a message. Throws `ToolFailure.invalid`, which names the line in the whole input.
    package func encode(_ piece: MessageSplitter.Piece, as schema: MessageSchema) throws(ToolFailure) -> [UInt8] {
        let reason: String
        do {
            switch format {
            case .json:
                return try schema.bytes(
                    fromJSON: piece.text,
                    options: JSONOptions(ignoresUnknownFields: ignoresUnknownFields, types: types))
            case .text:
                let options = TextFormatOptions(ignoresUnknownFields: ignoresUnknownFields, types: types)
                return try DynamicMessage(text: piece.text, as: schema, options: options).encoded()
            }
        } catch let error as JSONError {
            let place = error.position.map { Self.place($0.line, $0.column, of: piece) } ?? "line \(piece.line): "
            reason = place + (error.path.isEmpty ? "" : "\(error.path): ") + error.reason
        } catch let error as TextFormatError {
            reason = (error.position.map { Self.place($0.line, $0.column, of: piece) } ?? "") + error.reason
        } catch {
            reason = "\(error)"
        }
        throw .invalid("The request is no \(schema.fullName): \(reason)")
    }

    /// The text of a message. Throws `ToolFailure.other` when the bytes are not of this type.
    package func decode(_ bytes: [UInt8], as schema: MessageSchema) throws(ToolFailure) -> String {
        do {
            return try text(of: DynamicMessage(decoding: bytes, as: schema))
        } catch let failure as ToolFailure {
            throw failure
        } catch {
            throw .other("The reply is no \(schema.fullName): \(error)")
        }
    }

    package func text(of message: DynamicMessage) throws(ToolFailure) -> String {
        do {
            switch format {
            case .json:
                return try message.jsonString(
                    options: JSONOptions(
                        isPretty: !isCompact, includesDefaults: includesDefaults, writesUnknownAnyAsBase64: true,
                        types: types))
            case .text:
                let options = TextFormatOptions(includesDefaults: includesDefaults, types: types)
                let text = try message.textFormat(options: options)
                return text.hasSuffix("\n") ? String(text.dropLast()) : text
            }
        } catch {
            throw .other("The reply cannot be shown: \(error)")
        }
    }

    /// What stands between two messages, so that they can be read again.
    package var separator: String { format == .text ? "\u{1e}" : "" }

    private static func place(_ line: Int, _ column: Int, of piece: MessageSplitter.Piece) -> String {
        "line \(piece.line + line - 1), column \(column): "
    }
}
