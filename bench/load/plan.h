/* Who connects: one line a client in the plan file, "ROOM send|listen TOKEN". */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>

struct seat {
    char *room;
    char *token;
    bool sends;
    unsigned room_members; /* clients of the plan in this room, this one included */
};

struct plan {
    struct seat *seats;
    size_t count;
    size_t rooms;
    size_t senders;
};

/* Read the plan or exit with a message. */
struct plan plan_read(const char *path);

#endif
