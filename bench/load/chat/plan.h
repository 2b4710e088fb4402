/* Who connects: one line a client in the plan file, "ROOM send|listen|watch|post TOKEN [NODE]". */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>

enum { NODES_MAX = 8 };

enum role {
    LISTEN, /* a member with a WebSocket who hears everything */
    SEND,   /* such a member who also sends */
    WATCH,  /* hears it without being a member */
    POST,   /* sends for a member over HTTP, on a connection that hears nothing */
};

struct seat {
    char *room;
    char *token;
    enum role role;
    unsigned node; /* which of the ports it connects to */
    unsigned room_hearers; /* clients of the plan that hear this room */
};

struct plan {
    struct seat *seats;
    size_t count;
    size_t rooms;
    size_t senders;
};

/* Whether this client's messages are what is measured. */
bool seat_sends(const struct seat *seat);

/* Read the plan or exit with a message. */
struct plan plan_read(const char *path);

#endif
