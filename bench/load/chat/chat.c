#include "chat.h"

#include "socket.h"
#include "websocket.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define STARTS_WITH(text, length, literal) \
    ((length) >= sizeof(literal) - 1 && memcmp(text, literal, sizeof(literal) - 1) == 0)

static void send_frame(struct client *client, enum opcode opcode, const char *payload, size_t length)
{
    char bytes[REQUEST_SIZE + FRAME_HEADER_MAX];
    if (length >= REQUEST_SIZE)
        errx(1, "a frame of %zu bytes to send", length);
    socket_send(client->fd, bytes, websocket_write(bytes, opcode, payload, length));
}

#define SEND_TEXT(client, ...)                                              \
    do {                                                                    \
        char text_[REQUEST_SIZE];                                           \
        int length_ = snprintf(text_, sizeof text_, __VA_ARGS__);           \
        send_frame(client, OP_TEXT, text_, (size_t)length_);                \
    } while (0)

void chat_open(struct client *client)
{
    static const char PATH[] = "/socket.io/?EIO=4&transport=websocket";
    char request[512];
    client->stage = UPGRADING;
    socket_send(client->fd, request, websocket_request(request, sizeof request, client->host, PATH));
}

void chat_send(struct client *client, const char *client_id)
{
    client->ack_id++;
    SEND_TEXT(client, "42/chat,%u[\"chat\",{\"room_id\":\"%s\",\"client_id\":\"%s\",\"content\":" CONTENT "}]",
              client->ack_id, client->seat->room, client_id);
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
    if (STARTS_WITH(text, length, "42/chat,[\"chat\",")) {
        on_delivery(client, text, length, now);
        return;
    }
    client->tally->news_at = now;
    client->tally->behind += STARTS_WITH(text, length, "42/chat,[\"room_behind\",");
}

/* `43/chat,ID[{"ok":true,...}]` */
static void on_ack(struct client *client, const char *text, size_t length, uint64_t now)
{
    char *rest;
    if (strtoul(text + 8, &rest, 10) != client->ack_id)
        return;
    bool ok = STARTS_WITH(rest, length - (size_t)(rest - text), "[{\"ok\":true");
    if (client->stage == READY)
        client_acked(client, ok, text, length, now);
    else if (ok)
        client_ready(client, now);
    else
        errx(1, "refused to join: %.*s", (int)length, text);
}

static void enter_room(struct client *client)
{
    client->stage = JOINING;
    SEND_TEXT(client, "42/chat,%u[\"%s\",{\"room_id\":\"%s\"}]", client->ack_id,
              client->seat->role == WATCH ? "watch" : "join_room", client->seat->room);
}

static void on_packet(struct client *client, const char *text, size_t length, uint64_t now)
{
    if (STARTS_WITH(text, length, "42/chat,")) {
        on_event(client, text, length, now);
    } else if (STARTS_WITH(text, length, "43/chat,")) {
        on_ack(client, text, length, now);
    } else if (STARTS_WITH(text, length, "40/chat,")) {
        enter_room(client);
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

size_t chat_receive(struct client *client, const char *bytes, size_t length, uint64_t now)
{
    size_t done = 0;
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
