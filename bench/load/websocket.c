#include "websocket.h"

#include <stdio.h>
#include <string.h>

/* The key is the RFC's example: it guards against caches, and there is none between us and our server. */
size_t websocket_request(char *out, size_t size, const char *host, const char *path)
{
    int length = snprintf(out, size,
                          "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                          path, host);
    return (size_t)length;
}

int websocket_answer(const char *bytes, size_t length)
{
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    if (strncmp(bytes, "HTTP/1.1 101", 12) != 0)
        return -1;
    return (int)(end - bytes) + 4;
}

/* The mask must vary so that the server's unmasking is real work; it need not be secret here. */
static uint32_t next_mask(void)
{
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static size_t write_length(char *out, size_t length)
{
    if (length < 126) {
        out[0] = (char)(0x80 | length);
        return 1;
    }
    int octets = length < 65536 ? 2 : 8;
    out[0] = (char)(0x80 | (octets == 2 ? 126 : 127));
    for (int i = 0; i < octets; i++)
        out[1 + i] = (char)((uint64_t)length >> (8 * (octets - 1 - i)));
    return 1 + (size_t)octets;
}

size_t websocket_write(char *out, enum opcode opcode, const char *payload, size_t length)
{
    out[0] = (char)(0x80 | opcode);
    size_t at = 1 + write_length(out + 1, length);
    char mask[4];
    uint32_t bits = next_mask();
    memcpy(mask, &bits, 4);
    memcpy(out + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < length; i++)
        out[at + i] = (char)(payload[i] ^ mask[i & 3]);
    return at + length;
}

static uint64_t big_endian(const unsigned char *bytes, int octets)
{
    uint64_t value = 0;
    for (int i = 0; i < octets; i++)
        value = value << 8 | bytes[i];
    return value;
}

bool websocket_read(const char *bytes, size_t length, struct frame *frame)
{
    const unsigned char *head = (const unsigned char *)bytes;
    if (length < 2)
        return false;
    size_t start = 2;
    uint64_t payload = head[1] & 0x7f;
    if (payload >= 126) {
        int octets = payload == 126 ? 2 : 8;
        start += (size_t)octets;
        if (length < start)
            return false;
        payload = big_endian(head + 2, octets);
    }
    /* Subtract, do not add: a huge length must not wrap around. */
    if (length - start < payload)
        return false;
    frame->opcode = head[0] & 0x0f;
    frame->final = head[0] >> 7;
    frame->payload = bytes + start;
    frame->length = payload;
    frame->size = start + payload;
    return true;
}
