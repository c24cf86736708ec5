import Domain
import Foundation

@testable import meridian

/// What the services of a stack wrote, line by line.
struct Logs {
    let folder: StackFolder

    /// The whole lines of one service's log, oldest first.
    func events(of service: ServiceName) throws -> [Timeline.Event] {
        let text = try String(contentsOfFile: folder.log(of: service.rawValue), encoding: .utf8)
        return text.split(separator: "\n").compactMap { Timeline.parse(String($0)) }
    }
}
