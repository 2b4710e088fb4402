/* The part of RFC 6455 that a client of our own server needs: upgrade, masked frames out, plain frames in. */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opcode { OP_CONTINUATION = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

struct frame {
    enum opcode opcode;
    bool final;
    const char *payload; /* points into the parsed bytes */
    size_t length;
    size_t size; /* header and payload: what to skip for the next frame */
};

enum { FRAME_HEADER_MAX = 14 };

/* Write the upgrade request for `path`; return its length, at most `size`. */
size_t websocket_request(char *out, size_t size, const char *host, const char *path);

/* Length of a complete 101 answer at the start of `bytes`; 0 if more is needed, -1 if refused. */
int websocket_answer(const char *bytes, size_t length);

/* Write one masked frame; `out` has room for `length + FRAME_HEADER_MAX`. Return its size. */
size_t websocket_write(char *out, enum opcode opcode, const char *payload, size_t length);

/* Read the frame at the start of `bytes`; false if it is not complete yet. */
bool websocket_read(const char *bytes, size_t length, struct frame *frame);

#endif
