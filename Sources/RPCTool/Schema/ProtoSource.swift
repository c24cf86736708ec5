package import Protobuf

/// Writes what descriptors say as the source of a `.proto` file. Names of types are absolute, with their leading dot.
///
/// The order of the source is not in the descriptors: fields come before nested types. Features of editions are left out.
package struct ProtoSource {
    private let options: OptionText
    private let comments: ProtoComments
    private var lines: [String] = []
    private var level = 0

    /// The whole file, ready for protoc.
    package static func text(
        of file: Google_Protobuf_FileDescriptorProto, in schema: Schema
    ) throws(ToolFailure) -> String {
        var source = ProtoSource(options: try OptionText(schema), comments: ProtoComments(file))
        source.write(file)
        return source.lines.joined(separator: "\n") + "\n"
    }

    /// One definition.
    package static func text(of symbol: Symbol, in schema: Schema) throws(ToolFailure) -> String {
        var source = ProtoSource(options: try OptionText(schema), comments: ProtoComments(symbol.file))
        let path = symbol.path
        switch symbol.definition {
        case .service(let service): source.write(service, path)
        case .method(let method): source.write(method, path)
        case .message(let message): source.write(message, path)
        case .enumeration(let enumeration): source.write(enumeration, path)
        case .field(let field, let message): source.write(field, nested: message.nestedType, path)
        case .oneof(let index, let message): source.writeOneof(index, of: message, Array(path.dropLast(2)))
        case .value(let value, _): source.write(value, path)
        case .extension(let field): source.write([(field, path)], nested: nil)
        }
        return source.lines.joined(separator: "\n")
    }

    private init(options: OptionText, comments: ProtoComments) {
        self.options = options
        self.comments = comments
    }

    // MARK: Definitions

    private mutating func write(_ file: Google_Protobuf_FileDescriptorProto) {
        comment([12])
        line("syntax = \"\(file.syntax == "proto3" ? "proto3" : "proto2")\";")
        if let package = file.package, !package.isEmpty {
            line()
            comment([2])
            line("package \(package);")
        }
        if !file.dependency.isEmpty { line() }
        for (index, name) in file.dependency.enumerated() {
            let isPublic = file.publicDependency.contains(Int32(index))
            let isWeak = file.weakDependency.contains(Int32(index))
            line("import \(isPublic ? "public " : isWeak ? "weak " : "")\"\(name)\";")
        }
        let settings = options.settings(file.options, "google.protobuf.FileOptions")
        if !settings.isEmpty { line() }
        for setting in settings { line("option \(setting);") }
        for (index, service) in file.service.enumerated() {
            line()
            write(service, [6, Int32(index)])
        }
        for (index, message) in file.messageType.enumerated() {
            if Self.groups(file.extension).contains(message.name ?? "") { continue }
            line()
            write(message, [4, Int32(index)])
        }
        for (index, enumeration) in file.enumType.enumerated() {
            line()
            write(enumeration, [5, Int32(index)])
        }
        write(file.extension.enumerated().map { ($1, [7, Int32($0)]) }, nested: file.messageType)
    }

    private mutating func write(_ service: Google_Protobuf_ServiceDescriptorProto, _ path: [Int32]) {
        comment(path)
        let settings = options.settings(service.options, "google.protobuf.ServiceOptions")
        block("service \(service.name ?? "")") { source in
            for setting in settings { source.line("option \(setting);") }
            for (index, method) in service.method.enumerated() {
                if !settings.isEmpty || index > 0, source.comments.has(path + [2, Int32(index)]) { source.line() }
                source.write(method, path + [2, Int32(index)])
            }
        }
    }

    private mutating func write(_ method: Google_Protobuf_MethodDescriptorProto, _ path: [Int32]) {
        comment(path)
        let input = (method.clientStreaming == true ? "stream " : "") + (method.inputType ?? "")
        let output = (method.serverStreaming == true ? "stream " : "") + (method.outputType ?? "")
        let head = "rpc \(method.name ?? "")(\(input)) returns (\(output))"
        let settings = options.settings(method.options, "google.protobuf.MethodOptions")
        guard !settings.isEmpty else { return line(head + ";") }
        block(head) { source in
            for setting in settings { source.line("option \(setting);") }
        }
    }

    private mutating func write(_ message: Google_Protobuf_DescriptorProto, _ path: [Int32]) {
        comment(path)
        block("message \(message.name ?? "")") { source in source.writeBody(of: message, path) }
    }

    private mutating func writeBody(of message: Google_Protobuf_DescriptorProto, _ path: [Int32]) {
        for setting in options.settings(message.options, "google.protobuf.MessageOptions") {
            line("option \(setting);")
        }
        var writtenOneofs: Set<Int32> = []
        for (index, field) in message.field.enumerated() {
            if let oneof = field.oneofIndex, field.proto3Optional != true {
                if writtenOneofs.insert(oneof).inserted { writeOneof(Int(oneof), of: message, path) }
            } else {
                write(field, nested: message.nestedType, path + [2, Int32(index)])
            }
        }
        let groups = Self.groups(message.field + message.extension)
        for (index, nested) in message.nestedType.enumerated() {
            if nested.options?.mapEntry == true || groups.contains(nested.name ?? "") { continue }
            if !lines.isEmpty, !(lines.last ?? "").hasSuffix("{") { line() }
            write(nested, path + [3, Int32(index)])
        }
        for (index, enumeration) in message.enumType.enumerated() { write(enumeration, path + [4, Int32(index)]) }
        write(message.extension.enumerated().map { ($1, path + [6, Int32($0)]) }, nested: message.nestedType)
        for range in message.extensionRange {
            line("extensions \(Self.range(range.start, range.end.map { $0 - 1 }, maximum: (1 << 29) - 1));")
        }
        if !message.reservedRange.isEmpty {
            let ranges = message.reservedRange.map {
                Self.range($0.start, $0.end.map { $0 - 1 }, maximum: (1 << 29) - 1)
            }
            line("reserved \(ranges.joined(separator: ", "));")
        }
        if !message.reservedName.isEmpty {
            line("reserved \(message.reservedName.map { "\"\($0)\"" }.joined(separator: ", "));")
        }
    }

    private mutating func writeOneof(_ index: Int, of message: Google_Protobuf_DescriptorProto, _ path: [Int32]) {
        guard message.oneofDecl.indices.contains(index) else { return }
        let oneof = message.oneofDecl[index]
        comment(path + [8, Int32(index)])
        block("oneof \(oneof.name ?? "")") { source in
            for setting in source.options.settings(oneof.options, "google.protobuf.OneofOptions") {
                source.line("option \(setting);")
            }
            for (number, field) in message.field.enumerated() where field.oneofIndex == Int32(index) {
                source.write(field, nested: message.nestedType, path + [2, Int32(number)])
            }
        }
    }

    private mutating func write(_ enumeration: Google_Protobuf_EnumDescriptorProto, _ path: [Int32]) {
        comment(path)
        block("enum \(enumeration.name ?? "")") { source in
            for setting in source.options.settings(enumeration.options, "google.protobuf.EnumOptions") {
                source.line("option \(setting);")
            }
            for (index, value) in enumeration.value.enumerated() { source.write(value, path + [2, Int32(index)]) }
            if !enumeration.reservedRange.isEmpty {
                let ranges = enumeration.reservedRange.map { Self.range($0.start, $0.end, maximum: .max) }
                source.line("reserved \(ranges.joined(separator: ", "));")
            }
            if !enumeration.reservedName.isEmpty {
                source.line("reserved \(enumeration.reservedName.map { "\"\($0)\"" }.joined(separator: ", "));")
            }
        }
    }

    private mutating func write(_ value: Google_Protobuf_EnumValueDescriptorProto, _ path: [Int32]) {
        comment(path)
        let settings = options.settings(value.options, "google.protobuf.EnumValueOptions")
        line("\(value.name ?? "") = \(value.number ?? 0)\(Self.bracketed(settings));")
    }

    /// Extensions, in a block for each message that they extend.
    /// - Parameter nested: where the types of groups are.
    private mutating func write(
        _ extensions: [(field: Google_Protobuf_FieldDescriptorProto, path: [Int32])],
        nested: [Google_Protobuf_DescriptorProto]?
    ) {
        var extended: [String] = []
        for (field, _) in extensions where !extended.contains(field.extendee ?? "") {
            extended.append(field.extendee ?? "")
        }
        for message in extended {
            if level == 0, !lines.isEmpty { line() }
            block("extend \(message)") { source in
                for (field, path) in extensions where field.extendee == message {
                    source.write(field, nested: nested ?? [], path)
                }
            }
        }
    }

    // MARK: Fields

    private mutating func write(
        _ field: Google_Protobuf_FieldDescriptorProto, nested: [Google_Protobuf_DescriptorProto], _ path: [Int32]
    ) {
        comment(path)
        let index = nested.firstIndex { field.typeName?.hasSuffix("." + ($0.name ?? "")) == true }
        let own = index.map { nested[$0] }
        let settings = fieldSettings(field)
        if let entry = own, entry.options?.mapEntry == true, field.type == .message, entry.field.count == 2 {
            let type = "map<\(Self.type(of: entry.field[0])), \(Self.type(of: entry.field[1]))>"
            return line("\(type) \(field.name ?? "") = \(field.number ?? 0)\(Self.bracketed(settings));")
        }
        let head = label(field) + Self.type(of: field)
        guard field.type == .group, let body = own else {
            return line("\(head) \(field.name ?? "") = \(field.number ?? 0)\(Self.bracketed(settings));")
        }
        block("\(head) \(body.name ?? "") = \(field.number ?? 0)\(Self.bracketed(settings))") { source in
            // The type of a group is defined beside the field.
            let parent = Array(path.dropLast(2))
            source.writeBody(of: body, parent + [parent.isEmpty ? 4 : 3, Int32(index ?? 0)])
        }
    }

    private func label(_ field: Google_Protobuf_FieldDescriptorProto) -> String {
        switch field.label {
        case .repeated: "repeated "
        case .required: "required "
        case .optional, .unrecognized, nil:
            field.proto3Optional == true || (!comments.syntaxIsProto3 && field.oneofIndex == nil) ? "optional " : ""
        }
    }

    private func fieldSettings(_ field: Google_Protobuf_FieldDescriptorProto) -> [String] {
        var settings: [String] = []
        if let value = field.defaultValue {
            switch field.type {
            case .string: settings.append("default = \(OptionText.quoted(value))")
            case .bytes: settings.append("default = \"\(value)\"")  // Escaped by protoc already.
            default: settings.append("default = \(value)")
            }
        }
        if let name = field.jsonName, field.extendee == nil, name != FieldSchema.jsonName(of: field.name ?? "") {
            settings.append("json_name = \"\(name)\"")
        }
        return settings + options.settings(field.options, "google.protobuf.FieldOptions")
    }

    private static func type(of field: Google_Protobuf_FieldDescriptorProto) -> String {
        switch field.type {
        case .double: "double"
        case .float: "float"
        case .int64: "int64"
        case .uint64: "uint64"
        case .int32: "int32"
        case .fixed64: "fixed64"
        case .fixed32: "fixed32"
        case .bool: "bool"
        case .string: "string"
        case .group: "group"
        case .bytes: "bytes"
        case .uint32: "uint32"
        case .sfixed32: "sfixed32"
        case .sfixed64: "sfixed64"
        case .sint32: "sint32"
        case .sint64: "sint64"
        case .message, .enum, .unrecognized, nil: field.typeName ?? "?"
        }
    }

    // MARK: Lines

    private static func groups(_ fields: [Google_Protobuf_FieldDescriptorProto]) -> Set<String> {
        Set(fields.filter { $0.type == .group }.compactMap { $0.typeName?.split(separator: ".").last.map(String.init) })
    }

    private static func range(_ first: Int32?, _ last: Int32?, maximum: Int32) -> String {
        guard let first, let last, last != first else { return "\(first ?? 0)" }
        return "\(first) to \(last == maximum ? "max" : "\(last)")"
    }

    private static func bracketed(_ settings: [String]) -> String {
        settings.isEmpty ? "" : " [\(settings.joined(separator: ", "))]"
    }

    private mutating func comment(_ path: [Int32]) {
        for text in comments.lines(at: path) { line(text) }
    }

    private mutating func block(_ head: String, _ body: (inout ProtoSource) -> Void) {
        line(head + " {")
        level += 1
        let count = lines.count
        body(&self)
        level -= 1
        if lines.count == count { lines[count - 1] += "}" } else { line("}") }
    }

    private mutating func line(_ text: String = "") {
        let indent = String(repeating: "  ", count: level)
        for part in text.split(separator: "\n", omittingEmptySubsequences: false) {
            lines.append(part.isEmpty ? "" : indent + part)
        }
    }
}
