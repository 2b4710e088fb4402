#include "member.h"

#include "process.h"
#include "socket.h"
#include "websocket.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024, FRAME_SIZE = 256 };

#define MSG_START "42[\"msg\",\""
enum { MSG_LENGTH = sizeof MSG_START - 1 + PAYLOAD + 2 };

static void send_text(struct member *member, const char *text, size_t length)
{
    char bytes[FRAME_SIZE + FRAME_HEADER_MAX];
    socket_send(member->fd, bytes, websocket_write(bytes, OP_TEXT, text, length));
}

void member_open(struct member *member, int fd)
{
    static const char PATH[] = "/socket.io/?EIO=4&transport=websocket";
    char request[512];
    member->fd = fd;
    member->stage = UPGRADING;
    socket_send(fd, request, websocket_request(request, sizeof request, member->crowd->host, PATH));
}

void member_send(struct member *member, const char *type, const char *event, const char *argument)
{
    char text[FRAME_SIZE];
    int length = snprintf(text, sizeof text, "%s[\"%s\",\"%.*s\"]", type, event, PAYLOAD, argument);
    send_text(member, text, (size_t)length);
}

/* `43ID["ARGUMENT"]` */
static void on_ack(struct member *member, const char *text, size_t length, uint64_t now)
{
    char *rest;
    unsigned id = (unsigned)strtoul(text + 2, &rest, 10);
    if (length - (size_t)(rest - text) != PAYLOAD + 4)
        errx(1, "not the ack of an echo: %.*s", (int)length, text);
    member->crowd->on_ack(member, id, rest + 2, now);
}

static void on_packet(struct member *member, const char *text, size_t length, uint64_t now)
{
    if (length == MSG_LENGTH && memcmp(text, MSG_START, sizeof MSG_START - 1) == 0) {
        member->crowd->on_msg(text + sizeof MSG_START - 1, now);
    } else if (length > 2 && text[0] == '4' && text[1] == '3') {
        on_ack(member, text, length, now);
    } else if (length == 1 && text[0] == '2') {
        send_text(member, "3", 1);
    } else if (length > 0 && text[0] == '0') {
        member->stage = CONNECTING;
        send_text(member, "40", 2);
    } else if (length > 1 && text[0] == '4' && text[1] == '0') {
        member->stage = READY;
        member->crowd->ready++;
    } else {
        errx(1, "did not expect: %.*s", (int)length, text);
    }
}

static size_t on_bytes(struct member *member, const char *bytes, size_t length, uint64_t now)
{
    size_t done = 0;
    if (member->stage == UPGRADING) {
        int answer = websocket_answer(bytes, length);
        if (answer < 0)
            errx(1, "the upgrade was refused: %.*s", (int)strcspn(bytes, "\r\n"), bytes);
        if (answer == 0)
            return 0;
        member->stage = OPENING;
        done = (size_t)answer;
    }
    struct frame frame;
    while (websocket_read(bytes + done, length - done, &frame)) {
        if (frame.opcode == OP_TEXT && frame.final)
            on_packet(member, frame.payload, frame.length, now);
        else if (frame.opcode != OP_CLOSE)
            errx(1, "a fragment, or a frame that is no text: no server here is expected to send one");
        done += frame.size;
    }
    return done;
}

/* An idle member must cost next to nothing, so the buffer is there only while it holds something. */
static void keep(struct member *member, const char *bytes, size_t length)
{
    if (length == 0 && member->kept == NULL)
        return;
    free(member->kept);
    member->kept = length > 0 ? memcpy(malloc(length), bytes, length) : NULL;
    member->kept_length = length;
}

static void closed(struct member *member)
{
    member->crowd->closed++;
    member->stage = GONE;
    close(member->fd);
}

/* All members read into one buffer; only the rest of what is cut is copied away and back. */
void member_receive(struct member *member)
{
    static char buffer[2 * READ_SIZE + 1]; /* one more: the text functions stop at a zero */
    size_t length = member->kept_length;
    if (length > READ_SIZE)
        errx(1, "a frame of more than %d bytes", READ_SIZE);
    if (length > 0)
        memcpy(buffer, member->kept, length);
    ssize_t received = recv(member->fd, buffer + length, READ_SIZE, 0);
    if (received < 0 && errno == EAGAIN)
        return;
    if (received <= 0) {
        closed(member);
        return;
    }
    length += (size_t)received;
    buffer[length] = '\0';
    size_t done = on_bytes(member, buffer, length, now_ns());
    keep(member, buffer + done, length - done);
}
