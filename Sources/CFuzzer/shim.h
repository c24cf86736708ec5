#pragma once
#include <stddef.h>
#include <stdint.h>

/// libFuzzer's loop, which is linked in by `-sanitize=fuzzer` and has no header of its own. Calls `callback` with one
/// input after the other; ends the process when one of them breaks it.
/// Source: LLVM, "libFuzzer", "Using libFuzzer as a library".
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
