#include "client.h"

#include "chat.h"
#include "post.h"
#include "process.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024, KEPT_LIMIT = 8 * 1024 * 1024 };

static bool posts(const struct client *client)
{
    return client->seat->role == POST;
}

void client_start(struct client *client, int fd)
{
    client->fd = fd;
    if (posts(client))
        client_ready(client, now_ns());
    else
        chat_open(client);
}

void client_ready(struct client *client, uint64_t now)
{
    client->stage = READY;
    client->tally->ready++;
    client->tally->news_at = now;
}

/* The client_id carries the time of sending, so that whoever hears the message can tell how long it took. */
void client_send_message(struct client *client)
{
    if (!seat_sends(client->seat) || client->stage != READY)
        return;
    client->waiting = true;
    client->tally->in_flight++;
    client->sent_at = now_ns();
    char client_id[32];
    snprintf(client_id, sizeof client_id, "%016lx-%d", client->sent_at, client->fd);
    (posts(client) ? post_send : chat_send)(client, client_id);
}

void client_acked(struct client *client, bool ok, const char *text, size_t length, uint64_t now)
{
    struct tally *tally = client->tally;
    client->waiting = false;
    tally->in_flight--;
    if (ok) {
        struct acks *acks = &tally->acks[client->seat->node];
        histogram_record(&tally->ack_latency, now - client->sent_at);
        histogram_record(&acks->latency, now - client->sent_at);
        tally->acked++;
        acks->count++;
        tally->expected += client->seat->room_hearers;
    } else if (tally->refused++ == 0) {
        warnx("refused: %.*s", (int)length, text);
    }
    if (tally->sending && tally->interval == 0)
        client_send_message(client);
}

static void keep(struct client *client, const char *bytes, size_t length)
{
    if (length > KEPT_LIMIT)
        errx(1, "a frame or answer of more than %d bytes", KEPT_LIMIT);
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

/* All clients read into one buffer; only the rest of what is cut is copied into the client and back. */
bool client_receive(struct client *client)
{
    static char buffer[KEPT_LIMIT + READ_SIZE + 1]; /* one more: the text functions stop at a zero */
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
    size_t done = (posts(client) ? post_receive : chat_receive)(client, buffer, length, now_ns());
    keep(client, buffer + done, length - done);
    return true;
}
