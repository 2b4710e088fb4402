/* The course of a run: connect, warm up, measure several windows, drain. */
#ifndef RUN_H
#define RUN_H

#include "client.h"
#include "process.h"

struct options {
    const char *host;
    const char *port;
    const char *plan;
    int server_pid;  /* 0: its use of CPU and memory is not measured */
    double warm_up;  /* seconds */
    double window;   /* seconds */
    unsigned windows;
};

/* What happened in one window. */
struct window {
    double seconds;
    uint64_t acked;
    uint64_t deliveries;
    struct histogram ack_latency;
    struct histogram delivery_latency;
    struct usage server;    /* CPU used in the window; memory at its end */
    struct usage generator;
    double machine; /* seconds that the processors were busy in the window, for whomever */
};

struct result {
    double connect_seconds;
    struct tally tally; /* of the whole run, drained */
    struct window *windows;
};

struct result run(const struct options *options, const struct plan *plan);

#endif
