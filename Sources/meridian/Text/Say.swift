import Glibc

/// Prints a line at once, also into a file or a pipe, where standard output would wait for a full buffer.
func say(_ line: String) {
    print(line)
    fflush(nil)
}
