internal import Glibc

#if FUZZING
    internal import CFuzzer
#endif

/// Runs a parser on hostile bytes.
///
///     fuzz                         names the parsers
///     fuzz PARSER FILE...          runs it once on each file
///     fuzz PARSER [OPTION...] DIR  looks for inputs that break it, guided by coverage; DIR keeps what was interesting
///
/// The last form needs a build with `-Xswiftc -sanitize=fuzzer,address -Xswiftc -DFUZZING`; its options are
/// libFuzzer's.
@main
enum Fuzz {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count > 1 else {
            for target in FuzzTarget.all { print(target.name) }
            return
        }
        guard let target = FuzzTarget.all.first(where: { $0.name == arguments[1] }) else {
            fail("there is no parser \(arguments[1])")
        }
        #if FUZZING
            search(target, arguments)
        #else
            for path in arguments.dropFirst(2) {
                guard let bytes = read(path) else { fail("\(path) cannot be read") }
                target.run(bytes)
            }
        #endif
    }

    #if FUZZING
        /// The one that the loop runs: a C function carries no state. Set once, before the loop starts.
        nonisolated(unsafe) fileprivate static var chosen: FuzzTarget?

        private static func search(_ target: FuzzTarget, _ arguments: [String]) {
            if let folder = arguments.last, isFolder(folder) {
                for (index, seed) in target.seeds.enumerated() { write(seed, to: "\(folder)/seed-\(index)") }
            }
            unsafe chosen = target
            let options = ["fuzz", "-max_len=\(target.maximumBytes)"] + arguments.dropFirst(2)
            var count = CInt(options.count)
            var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = .allocate(capacity: options.count + 1)
            for (index, option) in options.enumerated() { unsafe list?[index] = strdup(option) }
            unsafe list?[options.count] = nil
            exit(unsafe LLVMFuzzerRunDriver(&count, &list, runChosen))
        }

        private static func isFolder(_ path: String) -> Bool {
            var status = stat()
            return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        }

        private static func write(_ bytes: [UInt8], to path: String) {
            guard let file = unsafe fopen(path, "w") else { fail("\(path) cannot be written") }
            let count = unsafe bytes.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, file) }
            guard unsafe fclose(file) == 0, count == bytes.count else { fail("\(path) cannot be written") }
        }
    #endif

    private static func read(_ path: String) -> [UInt8]? {
        guard let file = unsafe fopen(path, "r") else { return nil }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        while true {
            let byte = unsafe getc(file)
            guard byte != EOF else { return unsafe ferror(file) == 0 ? bytes : nil }
            bytes.append(UInt8(truncatingIfNeeded: byte))
        }
    }

    private static func fail(_ problem: String) -> Never {
        print("fuzz: \(problem)")
        exit(2)
    }
}

#if FUZZING
    /// One input. Exported under this name since libFuzzer's own main, which comes along, asks for it.
    @_cdecl("LLVMFuzzerTestOneInput")
    func runChosen(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
        unsafe Fuzz.chosen?.run(input)
        return 0
    }
#endif
