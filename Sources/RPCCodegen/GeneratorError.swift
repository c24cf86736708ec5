import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Why nothing was generated: what protoc prints, as `file:line: reason`.
public struct GeneratorError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The `.proto` file, relative to the import path; nil if the fault is in an option of the command line.
    public let file: String?
    /// Counted from 1; nil if protoc gave no positions.
    public let line: Int?
    public let reason: String

    init(file: String? = nil, line: Int? = nil, _ reason: String) {
        self.file = file
        self.line = line
        self.reason = reason
    }

    /// A fault at the place where `descriptor` is declared.
    init(at descriptor: some ProvidesSourceCodeLocation & ProvidesLocationPath, _ reason: String) {
        self.init(
            file: descriptor.file.name,
            line: descriptor.sourceCodeInfoLocation.flatMap { $0.span.first.map { Int($0) + 1 } },
            reason)
    }

    public var description: String {
        switch (file, line) {
        case (let file?, let line?): "\(file):\(line): \(reason)"
        case (let file?, nil): "\(file): \(reason)"
        case (nil, _): reason
        }
    }
}
