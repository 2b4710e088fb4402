/* The course of a run: connect everybody; then, in each round, warm up, measure several windows, drain. */
#ifndef RUN_H
#define RUN_H

#include "client.h"
#include "process.h"

struct options {
    const char *host;
    const char *ports[NODES_MAX];
    size_t nodes; /* ports */
    const char *plan;
    int server_pid;  /* 0: its use of CPU and memory is not measured */
    double warm_up;  /* seconds */
    double window;   /* seconds */
    unsigned windows;
    double interval; /* seconds between the messages of a sender; 0: the next follows the ack of the last */
    size_t rounds;
    const size_t *senders; /* in each round: so many of the plan's, from its start */
};

/* What happened in one window. */
struct window {
    struct spent spent;
    uint64_t acked;
    uint64_t deliveries;
    struct acks acks[NODES_MAX]; /* of the senders at each node */
    struct histogram ack_latency;
    struct histogram delivery_latency;
};

struct round {
    struct tally tally; /* of the run so far, drained */
    struct window *windows;
};

struct result {
    uint64_t resident_before; /* bytes of the server, with nobody connected */
    struct spent connecting;  /* until the last one heard that the last one had come */
    struct round *rounds;
};

struct result run(const struct options *options, const struct plan *plan);

#endif
