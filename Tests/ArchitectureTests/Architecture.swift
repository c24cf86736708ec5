/// A tree of targets, as names of folders and the source files in them.
struct Architecture {
    struct File {
        /// Relative to `Sources`, for people.
        let path: String
        let content: String
    }

    /// By name of the folder under `Sources`.
    var targets: [String: [File]]

    /// Everything that `rules` forbid, one line each, sorted. Empty: the tree is as it should be.
    func violations(of rules: [TargetRule]) -> [String] {
        var found: [String] = []
        for rule in rules where targets[rule.target] == nil {
            found.append("\(rule.target): a row of the table, and no such folder")
        }
        for (target, files) in targets {
            let own = rules.filter { $0.target == target }
            guard let rule = own.first, own.count == 1 else {
                found.append("\(target): \(own.count) rows of the table, and there must be one")
                continue
            }
            for file in files {
                for module in Set(ImportLine.modules(in: file.content)) where !rule.allows(module) {
                    found.append("\(file.path): \(target) may not import \(module)")
                }
            }
        }
        return found.sorted()
    }
}
