/* One chat client: it connects, joins its room, hears everything, and sends one message at a time if its seat says so. */
#ifndef CLIENT_H
#define CLIENT_H

#include "histogram.h"
#include "plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stage { UPGRADING, OPENING, CONNECTING, JOINING, READY, GONE };

/* What all clients together have seen; counts only grow, histograms are reset for each window. */
struct tally {
    size_t ready;
    size_t in_flight;
    uint64_t acked;
    uint64_t expected; /* deliveries that the acked messages must cause: one for each member */
    uint64_t deliveries;
    uint64_t refused; /* acks with "ok": false */
    uint64_t closed;
    uint64_t behind; /* room_behind: the server gave up a backlog of ours */
    bool sending;    /* an acked sender goes on with its next message */
    struct histogram ack_latency;      /* ns from send to ack */
    struct histogram delivery_latency; /* ns from send to the arrival at one member */
};

struct client {
    const struct seat *seat;
    struct tally *tally;
    char *kept; /* the start of a frame whose rest has not arrived */
    size_t kept_length;
    size_t kept_size;
    uint64_t sent_at;
    int fd;
    enum stage stage;
    uint32_t ack_id; /* of the request in flight */
    bool waiting;    /* for the ack of a message */
};

/* Begin the WebSocket upgrade on a connected, non-blocking socket. */
void client_start(struct client *client, int fd, const char *host);

/* Take what the socket has; false once the connection is gone. */
bool client_receive(struct client *client);

/* Send the next message; a client that does not send, or is gone, does nothing. */
void client_send_message(struct client *client);

#endif
