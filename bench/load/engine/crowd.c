#include "crowd.h"

#include "member.h"
#include "process.h"
#include "socket.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    COMING_AT_ONCE = 64,   /* handshakes under way: enough to keep a server busy, too few to overrun its backlog */
    GATHER_DEADLINE = 300, /* seconds */
};

uint64_t in_seconds(double seconds)
{
    return now_ns() + (uint64_t)(seconds * 1e9);
}

static void add_server(struct crowd *crowd, const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int failure = getaddrinfo(host, port, &hints, &crowd->addresses[crowd->servers++]);
    if (failure != 0)
        errx(1, "%s: %s", host, gai_strerror(failure));
}

void crowd_init(struct crowd *crowd, size_t size, const char *host, char *ports)
{
    allow_files(size + 16);
    *crowd = (struct crowd){.size = size, .host = host, .epoll = epoll_create1(0)};
    for (char *port = strtok(ports, ","); port != NULL && crowd->servers < SERVERS_MAX; port = strtok(NULL, ","))
        add_server(crowd, host, port);
    crowd->members = calloc(size, sizeof *crowd->members);
    for (size_t i = 0; i < size; i++)
        crowd->members[i].crowd = crowd;
}

static void start_next(struct crowd *crowd)
{
    struct addrinfo *address = crowd->addresses[crowd->started % crowd->servers];
    struct member *member = &crowd->members[crowd->started++];
    member_open(member, socket_connect(address));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = member};
    epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, member->fd, &event);
}

void crowd_gather(struct crowd *crowd, size_t count)
{
    uint64_t deadline = in_seconds(GATHER_DEADLINE);
    while (crowd->ready < count) {
        while (crowd->started < count && crowd->started - crowd->ready < COMING_AT_ONCE)
            start_next(crowd);
        crowd_step(crowd, deadline);
        if (crowd->closed > 0 || now_ns() > deadline)
            errx(1, "%zu of %zu clients are in the room, %zu were closed", crowd->ready, count, crowd->closed);
    }
}

void crowd_drop(struct crowd *crowd, size_t count)
{
    for (size_t left = crowd->started - count; crowd->started > left;) {
        struct member *member = &crowd->members[--crowd->started];
        close(member->fd); /* which takes it out of the epoll set */
        free(member->kept);
        *member = (struct member){.crowd = crowd, .stage = GONE};
        crowd->ready--;
    }
}

void crowd_step(struct crowd *crowd, uint64_t deadline)
{
    struct epoll_event events[256];
    uint64_t now = now_ns();
    int timeout = now >= deadline ? 0 : (int)((deadline - now) / 1000000) + 1;
    int count = epoll_wait(crowd->epoll, events, 256, timeout);
    for (int i = 0; i < count; i++)
        member_receive(events[i].data.ptr);
}

void crowd_run(struct crowd *crowd, double seconds)
{
    uint64_t deadline = in_seconds(seconds);
    while (now_ns() < deadline)
        crowd_step(crowd, deadline);
}
