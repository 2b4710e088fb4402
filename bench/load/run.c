#include "run.h"

#include <err.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OPENING_AT_ONCE = 64, /* a polite crowd: connecting is not what this measures */
    CONNECT_DEADLINE = 300, /* seconds for everybody */
    DRAIN_DEADLINE = 10, /* seconds for the last acks and deliveries */
};

static int connect_to(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, address->ai_addr, address->ai_addrlen) != 0)
        err(1, "connect");
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static uint64_t in_seconds(double seconds)
{
    return now_ns() + (uint64_t)(seconds * 1e9);
}

/* Wait at most until `deadline` and handle what has arrived. */
static void step(int epoll, uint64_t deadline)
{
    struct epoll_event events[256];
    uint64_t now = now_ns();
    int timeout = now >= deadline ? 0 : (int)((deadline - now) / 1000000) + 1;
    int count = epoll_wait(epoll, events, 256, timeout);
    for (int i = 0; i < count; i++)
        client_receive(events[i].data.ptr);
}

static void run_until(int epoll, uint64_t deadline)
{
    while (now_ns() < deadline)
        step(epoll, deadline);
}

static void start_client(struct client *client, int epoll, const struct addrinfo *address, const char *host)
{
    client_start(client, connect_to(address), host);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event);
}

static void connect_all(const struct options *options, struct client *clients, size_t count, int epoll)
{
    struct addrinfo *address;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int failure = getaddrinfo(options->host, options->port, &hints, &address);
    if (failure != 0)
        errx(1, "%s: %s", options->host, gai_strerror(failure));
    const struct tally *tally = clients->tally;
    uint64_t deadline = in_seconds(CONNECT_DEADLINE);
    for (size_t started = 0; tally->ready < count;) {
        while (started < count && started - tally->ready < OPENING_AT_ONCE)
            start_client(&clients[started++], epoll, address, options->host);
        step(epoll, deadline);
        if (tally->closed > 0 || now_ns() > deadline)
            errx(1, "%zu of %zu clients joined, %zu were closed", tally->ready, count, (size_t)tally->closed);
    }
    freeaddrinfo(address);
}

static struct usage used_between(struct usage before, struct usage after)
{
    return (struct usage){after.user - before.user, after.system - before.system, after.resident};
}

static void measure(struct window *window, const struct options *options, struct tally *tally, int epoll)
{
    histogram_reset(&tally->ack_latency);
    histogram_reset(&tally->delivery_latency);
    struct usage server = usage_of(options->server_pid), generator = usage_of_self();
    double machine = machine_busy();
    uint64_t acked = tally->acked, deliveries = tally->deliveries, start = now_ns();

    run_until(epoll, in_seconds(options->window));

    window->seconds = (double)(now_ns() - start) / 1e9;
    window->acked = tally->acked - acked;
    window->deliveries = tally->deliveries - deliveries;
    window->server = used_between(server, usage_of(options->server_pid));
    window->generator = used_between(generator, usage_of_self());
    window->machine = machine_busy() - machine;
    window->ack_latency = tally->ack_latency;
    window->delivery_latency = tally->delivery_latency;
}

/* Everything acked must arrive everywhere: this is a load test, but of a server that loses nothing. */
static void drain(struct tally *tally, int epoll)
{
    tally->sending = false;
    uint64_t deadline = in_seconds(DRAIN_DEADLINE);
    while ((tally->in_flight > 0 || tally->deliveries < tally->expected) && now_ns() < deadline)
        step(epoll, deadline);
    run_until(epoll, in_seconds(0.2)); /* one delivery too many would come now */
}

struct result run(const struct options *options, const struct plan *plan)
{
    static struct tally tally;
    int epoll = epoll_create1(0);
    struct result result = {.windows = calloc(options->windows, sizeof *result.windows)};
    struct client *clients = calloc(plan->count, sizeof *clients);
    for (size_t i = 0; i < plan->count; i++)
        clients[i] = (struct client){.seat = &plan->seats[i], .tally = &tally};

    uint64_t start = now_ns();
    connect_all(options, clients, plan->count, epoll);
    result.connect_seconds = (double)(now_ns() - start) / 1e9;
    run_until(epoll, in_seconds(1)); /* let the news of who joined pass */

    tally.sending = true;
    for (size_t i = 0; i < plan->count; i++)
        client_send_message(&clients[i]);
    run_until(epoll, in_seconds(options->warm_up));
    fputs("measuring\n", stderr); /* whoever wants to attach a profiler does it now */
    for (unsigned i = 0; i < options->windows; i++)
        measure(&result.windows[i], options, &tally, epoll);
    drain(&tally, epoll);
    result.tally = tally;
    return result;
}
