/* Clients of the contract in bench/servers: they connect, are in the room, hear `msg`, get acks. */
#ifndef CROWD_H
#define CROWD_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAYLOAD = 64 /* bytes of every argument */, SERVERS_MAX = 8 };

struct crowd;

struct member {
    struct crowd *crowd;
    char *kept; /* the start of a frame whose rest has not arrived */
    size_t kept_length;
    int fd;
    enum stage { UPGRADING, OPENING, CONNECTING, READY, GONE } stage;
};

struct crowd {
    struct member *members;
    size_t size;    /* room for so many */
    size_t started; /* so many have connected, or are about to: the first ones */
    size_t ready;
    size_t closed; /* by the server */
    int epoll;
    const char *host;
    struct addrinfo *addresses[SERVERS_MAX]; /* of the servers, which members come to in turn */
    size_t servers;
    /* What a scenario wants to hear of; `argument` has PAYLOAD bytes. */
    void (*on_msg)(const char *argument, uint64_t now);
    void (*on_ack)(struct member *member, unsigned id, const char *argument, uint64_t now);
};

/* Make room for `size` clients of the servers at these ports ("8080,8081"), or exit with a message. */
void crowd_init(struct crowd *crowd, size_t size, const char *host, char *ports);

/* Let clients come, some at a time, until `count` are in the room; exit with a message if they cannot. */
void crowd_gather(struct crowd *crowd, size_t count);

/* Close the connections of the last `count`, all at once. */
void crowd_drop(struct crowd *crowd, size_t count);

/* Handle what arrives; return when nothing more does before `deadline`, or when something did. */
void crowd_step(struct crowd *crowd, uint64_t deadline);

/* Do it for so many seconds. */
void crowd_run(struct crowd *crowd, double seconds);

/* Monotonic nanoseconds, so many seconds from now. */
uint64_t in_seconds(double seconds);

#endif
