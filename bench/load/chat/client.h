/* One client: as its seat says, it enters its room and hears everything, and sends one message at a time. */
#ifndef CLIENT_H
#define CLIENT_H

#include "histogram.h"
#include "plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUEST_SIZE = 8 * 1024 };

/* What every message says. */
#define CONTENT "{\"text\":\"sixty-four bytes of text, about as much as people write at a time\"}"

enum stage { UPGRADING, OPENING, CONNECTING, JOINING, READY, GONE };

/* What senders were answered. */
struct acks {
    uint64_t count;
    struct histogram latency; /* ns from send to ack */
};

/* What all clients together have seen; counts only grow, histograms are reset for each window. */
struct tally {
    size_t ready;
    size_t in_flight;
    uint64_t acked;
    uint64_t expected; /* deliveries that the acked messages must cause: one for each who hears the room */
    uint64_t deliveries;
    uint64_t refused; /* acks with "ok": false, and answers that are not 201 */
    uint64_t closed;
    uint64_t behind;  /* room_behind: the server gave up a backlog of ours */
    uint64_t news_at; /* when somebody became ready, or last heard an event that is no message */
    bool sending;     /* a sender goes on with its next message */
    uint64_t interval; /* ns between the messages of a sender; 0: the next follows the ack of the last */
    struct acks acks[NODES_MAX]; /* of the senders at each node */
    struct histogram ack_latency;      /* ns from send to ack */
    struct histogram delivery_latency; /* ns from send to the arrival at one client */
};

struct client {
    const struct seat *seat;
    struct tally *tally;
    const char *host;
    char *kept; /* the start of a frame or answer whose rest has not arrived */
    size_t kept_length;
    size_t kept_size;
    uint64_t sent_at;
    uint64_t due_at; /* its next message, where there is an interval; 0: it does not send */
    int fd;
    enum stage stage;
    uint32_t ack_id; /* of the request in flight */
    bool waiting;    /* for the ack of a message */
};

/* Begin on a connected, non-blocking socket. */
void client_start(struct client *client, int fd);

/* Take what the socket has; false once the connection is gone. */
bool client_receive(struct client *client);

/* Send the next message; a client that does not send, or is gone, does nothing. */
void client_send_message(struct client *client);

/* It hears its room, or need not, and may send. */
void client_ready(struct client *client, uint64_t now);

/* Its message was answered with `text`; go on with the next one. */
void client_acked(struct client *client, bool ok, const char *text, size_t length, uint64_t now);

#endif
