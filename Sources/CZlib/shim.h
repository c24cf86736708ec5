#pragma once
#include <zlib.h>

// Each function below stands for a macro, which Swift does not import. 31 is a window of 32 KiB with gzip's header.

static inline int czlib_deflate_init_gzip(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
}

static inline int czlib_inflate_init_gzip(z_stream *stream) { return inflateInit2(stream, 31); }
