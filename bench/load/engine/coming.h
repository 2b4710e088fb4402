/* A scenario without messages: a crowd comes in steps, rests, and most of it drops at once, then the rest. */
#ifndef COMING_H
#define COMING_H

#include "crowd.h"
#include "process.h"

enum { STEPS_MAX = 8 };

struct coming {
    uint64_t resident_before;
    struct spent gathered[STEPS_MAX]; /* CPU until the last was in the room; memory when all had rested */
    struct spent dropped;             /* until the server was quiet and had closed its ends */
    uint64_t resident_after;          /* when nobody is left */
};

/* Gather up to steps[0], steps[1] ... clients, then drop `drop` of them, then the others. */
struct coming coming(struct crowd *crowd, const size_t *steps, size_t count, size_t drop, int server_pid);

#endif
