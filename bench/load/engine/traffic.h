/* Scenarios with messages: a fixed number in flight, warm up, some windows, drain. */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include "crowd.h"
#include "histogram.h"
#include "process.h"

struct schedule {
    double warm_up; /* seconds */
    double window;  /* seconds */
    unsigned windows;
};

/* What happened in one window. */
struct window {
    uint64_t units; /* deliveries, or acks */
    struct histogram latency; /* ns, of each unit, from sending */
    struct spent spent;
};

struct traffic {
    struct window *windows;
    uint64_t unanswered; /* units that were still missing when patience ended */
    uint64_t strange;    /* units of no message in flight: doubled, late or altered */
};

/* `in_flight` members send; each sends its next message when all have heard its last. The unit is a delivery. */
struct traffic broadcast(struct crowd *crowd, unsigned in_flight, const struct schedule *schedule, int server_pid);

/* Every member has `in_flight` events out; each is followed by the next when its ack is there. The unit is an ack. */
struct traffic echo(struct crowd *crowd, unsigned in_flight, const struct schedule *schedule, int server_pid);

#endif
