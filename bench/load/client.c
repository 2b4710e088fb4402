#include "client.h"

#include "process.h"
#include "websocket.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024, FRAME_LIMIT = 8 * 1024 * 1024, TEXT_SIZE = 8 * 1024 };

#define STARTS_WITH(text, length, literal) \
    ((length) >= sizeof(literal) - 1 && memcmp(text, literal, sizeof(literal) - 1) == 0)

/* One message in flight never fills a socket's buffer, so waiting here is the exception. */
static void send_all(struct client *client, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes += sent;
            length -= (size_t)sent;
        } else if (errno == EAGAIN) {
            struct pollfd writable = {.fd = client->fd, .events = POLLOUT};
            poll(&writable, 1, 1000);
        } else {
            return; /* the next read sees the same broken connection */
        }
    }
}

static void send_frame(struct client *client, enum opcode opcode, const char *payload, size_t length)
{
    char bytes[TEXT_SIZE + FRAME_HEADER_MAX];
    if (length >= TEXT_SIZE)
        errx(1, "a frame of %zu bytes to send", length);
    send_all(client, bytes, websocket_write(bytes, opcode, payload, length));
}

#define SEND_TEXT(client, ...)                                              \
    do {                                                                    \
        char text_[TEXT_SIZE];                                              \
        int length_ = snprintf(text_, sizeof text_, __VA_ARGS__);           \
        send_frame(client, OP_TEXT, text_, (size_t)length_);                \
    } while (0)

void client_start(struct client *client, int fd, const char *host)
{
    char request[512];
    client->fd = fd;
    client->stage = UPGRADING;
    send_all(client, request,
             websocket_request(request, sizeof request, host, "/socket.io/?EIO=4&transport=websocket"));
}

/* The client_id carries the time of sending, so that every member can tell how long the message took. */
void client_send_message(struct client *client)
{
    if (!client->seat->sends || client->stage != READY)
        return;
    client->waiting = true;
    client->tally->in_flight++;
    client->ack_id++;
    client->sent_at = now_ns();
    SEND_TEXT(client,
              "42/chat,%u[\"chat\",{\"room_id\":\"%s\",\"client_id\":\"%016lx-%d\",\"content\":{\"text\":"
              "\"sixty-four bytes of text, about as much as people write at a time\"}}]",
              client->ack_id, client->seat->room, client->sent_at, client->fd);
}

static void on_delivery(struct client *client, const char *text, size_t length, uint64_t now)
{
    client->tally->deliveries++;
    const char *key = memmem(text, length, "\"client_id\":\"", 13);
    if (key != NULL)
        histogram_record(&client->tally->delivery_latency, now - strtoull(key + 13, NULL, 16));
}

static void on_event(struct client *client, const char *text, size_t length, uint64_t now)
{
    if (STARTS_WITH(text, length, "42/chat,[\"chat\","))
        on_delivery(client, text, length, now);
    else if (STARTS_WITH(text, length, "42/chat,[\"room_behind\","))
        client->tally->behind++;
}

static void on_refusal(struct client *client, const char *text, size_t length)
{
    if (client->stage != READY)
        errx(1, "refused to join: %.*s", (int)length, text);
    if (client->tally->refused++ == 0)
        warnx("refused: %.*s", (int)length, text);
}

static void on_message_acked(struct client *client, bool ok, uint64_t now)
{
    struct tally *tally = client->tally;
    client->waiting = false;
    tally->in_flight--;
    if (ok) {
        histogram_record(&tally->ack_latency, now - client->sent_at);
        tally->acked++;
        tally->expected += client->seat->room_members;
    }
    if (tally->sending)
        client_send_message(client);
}

/* `43/chat,ID[{"ok":true,...}]` */
static void on_ack(struct client *client, const char *text, size_t length, uint64_t now)
{
    char *rest;
    if (strtoul(text + 8, &rest, 10) != client->ack_id)
        return;
    bool ok = STARTS_WITH(rest, length - (size_t)(rest - text), "[{\"ok\":true");
    if (!ok)
        on_refusal(client, text, length);
    if (client->stage == READY) {
        on_message_acked(client, ok, now);
    } else {
        client->stage = READY;
        client->tally->ready++;
    }
}

static void on_packet(struct client *client, const char *text, size_t length, uint64_t now)
{
    if (STARTS_WITH(text, length, "42/chat,")) {
        on_event(client, text, length, now);
    } else if (STARTS_WITH(text, length, "43/chat,")) {
        on_ack(client, text, length, now);
    } else if (STARTS_WITH(text, length, "40/chat,")) {
        client->stage = JOINING;
        SEND_TEXT(client, "42/chat,%u[\"join_room\",{\"room_id\":\"%s\"}]", client->ack_id, client->seat->room);
    } else if (STARTS_WITH(text, length, "44/chat,") || STARTS_WITH(text, length, "41/chat,")) {
        warnx("turned away: %.*s", (int)length, text);
        shutdown(client->fd, SHUT_RDWR);
    }
}

static void on_text(struct client *client, const char *text, size_t length, uint64_t now)
{
    if (STARTS_WITH(text, length, "4")) {
        on_packet(client, text, length, now);
    } else if (STARTS_WITH(text, length, "2")) {
        send_frame(client, OP_TEXT, "3", 1);
    } else if (STARTS_WITH(text, length, "0")) {
        client->stage = CONNECTING;
        SEND_TEXT(client, "40/chat,{\"token\":\"%s\"}", client->seat->token);
    }
}

static void on_frame(struct client *client, const struct frame *frame, uint64_t now)
{
    if (!frame->final || frame->opcode == OP_CONTINUATION)
        errx(1, "a fragmented message: this server is not expected to send one");
    if (frame->opcode == OP_TEXT)
        on_text(client, frame->payload, frame->length, now);
    else if (frame->opcode == OP_PING)
        send_frame(client, OP_PONG, frame->payload, frame->length);
    else if (frame->opcode == OP_CLOSE && frame->length >= 2 && client->tally->closed == 0)
        warnx("closed by the server: %d %.*s", (uint8_t)frame->payload[0] << 8 | (uint8_t)frame->payload[1],
              (int)frame->length - 2, frame->payload + 2);
}

/* Handle every complete frame; return how many bytes that was. */
static size_t consume(struct client *client, const char *bytes, size_t length)
{
    size_t done = 0;
    uint64_t now = now_ns();
    if (client->stage == UPGRADING) {
        int answer = websocket_answer(bytes, length);
        if (answer < 0)
            errx(1, "the upgrade was refused: %.*s", (int)strcspn(bytes, "\r\n"), bytes);
        if (answer == 0)
            return 0;
        client->stage = OPENING;
        done = (size_t)answer;
    }
    struct frame frame;
    while (websocket_read(bytes + done, length - done, &frame)) {
        on_frame(client, &frame, now);
        done += frame.size;
    }
    return done;
}

static void keep(struct client *client, const char *bytes, size_t length)
{
    if (length > FRAME_LIMIT)
        errx(1, "a frame of more than %d bytes", FRAME_LIMIT);
    if (length > client->kept_size) {
        client->kept = realloc(client->kept, length);
        client->kept_size = length;
    }
    if (length > 0)
        memcpy(client->kept, bytes, length);
    client->kept_length = length;
}

static void lost(struct client *client)
{
    client->tally->closed++;
    client->tally->in_flight -= client->waiting;
    client->waiting = false;
    client->stage = GONE;
    close(client->fd);
}

/* All clients read into one buffer; only the rest of a cut frame is copied into the client and back. */
bool client_receive(struct client *client)
{
    static char buffer[FRAME_LIMIT + READ_SIZE + 1]; /* one more: the text functions stop at a zero */
    size_t length = client->kept_length;
    if (length > 0)
        memcpy(buffer, client->kept, length);
    ssize_t received = recv(client->fd, buffer + length, READ_SIZE, 0);
    if (received < 0 && errno == EAGAIN)
        return true;
    if (received <= 0) {
        lost(client);
        return false;
    }
    length += (size_t)received;
    buffer[length] = '\0';
    size_t done = consume(client, buffer, length);
    keep(client, buffer + done, length - done);
    return true;
}
