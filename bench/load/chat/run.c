#include "run.h"

#include "socket.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    OPENING_AT_ONCE = 64, /* a polite crowd: connecting is not what this measures */
    CONNECT_DEADLINE = 300, /* seconds for everybody */
    QUIET = 500000000, /* ns without news: everybody has heard that everybody has come */
    DRAIN_DEADLINE = 30, /* seconds for the last acks and deliveries */
};

struct crowd {
    struct client *clients;
    size_t count;
    struct tally *tally;
    int epoll;
};

static uint64_t in_seconds(double seconds)
{
    return now_ns() + (uint64_t)(seconds * 1e9);
}

/* Who is due sends, unless the last one is not acked yet: then at once when it is. */
static void send_due(const struct crowd *crowd, uint64_t now)
{
    for (size_t i = 0; i < crowd->count; i++) {
        struct client *client = &crowd->clients[i];
        if (client->due_at == 0 || client->due_at > now || client->waiting)
            continue;
        client_send_message(client);
        while (client->due_at <= now)
            client->due_at += crowd->tally->interval;
    }
}

/* Wait at most until `deadline` and handle what has arrived, and what is due to be sent. */
static void step(const struct crowd *crowd, uint64_t deadline)
{
    struct epoll_event events[256];
    bool paced = crowd->tally->sending && crowd->tally->interval > 0;
    uint64_t now = now_ns();
    int timeout = now >= deadline ? 0 : paced ? 1 : (int)((deadline - now) / 1000000) + 1;
    int count = epoll_wait(crowd->epoll, events, 256, timeout);
    for (int i = 0; i < count; i++)
        client_receive(events[i].data.ptr);
    if (paced)
        send_due(crowd, now_ns());
}

static void run_until(const struct crowd *crowd, uint64_t deadline)
{
    while (now_ns() < deadline)
        step(crowd, deadline);
}

static void start_client(struct client *client, int epoll, const struct addrinfo *address)
{
    client_start(client, socket_connect(address));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event);
}

static struct addrinfo *address_of(const char *host, const char *port)
{
    struct addrinfo *address;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int failure = getaddrinfo(host, port, &hints, &address);
    if (failure != 0)
        errx(1, "%s: %s", host, gai_strerror(failure));
    return address;
}

static void connect_all(const struct options *options, const struct crowd *crowd)
{
    struct addrinfo *addresses[NODES_MAX] = {0};
    for (size_t i = 0; i < options->nodes; i++)
        addresses[i] = address_of(options->host, options->ports[i]);
    const struct tally *tally = crowd->tally;
    uint64_t deadline = in_seconds(CONNECT_DEADLINE);
    for (size_t started = 0; tally->ready < crowd->count;) {
        while (started < crowd->count && started - tally->ready < OPENING_AT_ONCE) {
            struct client *client = &crowd->clients[started++];
            start_client(client, crowd->epoll, addresses[client->seat->node]);
        }
        step(crowd, deadline);
        if (tally->closed > 0 || now_ns() > deadline)
            errx(1, "%zu of %zu clients joined, %zu were closed", tally->ready, crowd->count, (size_t)tally->closed);
    }
    for (size_t i = 0; i < options->nodes; i++)
        freeaddrinfo(addresses[i]);
}

/* The news of who has come is work of connecting, not of the messages: it ends with the last of it. */
static struct spent gather(const struct options *options, const struct crowd *crowd)
{
    struct spent before = spent_so_far(options->server_pid);
    connect_all(options, crowd);
    const struct tally *tally = crowd->tally;
    while (now_ns() < tally->news_at + QUIET)
        step(crowd, tally->news_at + QUIET);
    struct spent spent = spent_since(&before, options->server_pid);
    spent.seconds = (double)tally->news_at / 1e9 - before.seconds;
    return spent;
}

static void measure(struct window *window, const struct options *options, const struct crowd *crowd)
{
    struct tally *tally = crowd->tally;
    histogram_reset(&tally->ack_latency);
    histogram_reset(&tally->delivery_latency);
    memset(tally->acks, 0, sizeof tally->acks);
    uint64_t acked = tally->acked, deliveries = tally->deliveries;
    struct spent before = spent_so_far(options->server_pid);

    run_until(crowd, in_seconds(options->window));

    window->spent = spent_since(&before, options->server_pid);
    window->acked = tally->acked - acked;
    window->deliveries = tally->deliveries - deliveries;
    memcpy(window->acks, tally->acks, sizeof window->acks);
    window->ack_latency = tally->ack_latency;
    window->delivery_latency = tally->delivery_latency;
}

/* Everything acked must arrive everywhere: this is a load test, but of a server that loses nothing. */
static void drain(const struct crowd *crowd)
{
    struct tally *tally = crowd->tally;
    tally->sending = false;
    uint64_t deadline = in_seconds(DRAIN_DEADLINE);
    while ((tally->in_flight > 0 || tally->deliveries < tally->expected) && now_ns() < deadline)
        step(crowd, deadline);
    run_until(crowd, in_seconds(0.2)); /* one delivery too many would come now */
}

/* Everybody begins at once; or each in her own part of the interval, as they will go on. */
static void begin(const struct crowd *crowd, size_t senders)
{
    struct tally *tally = crowd->tally;
    uint64_t now = now_ns();
    size_t begun = 0;
    for (size_t i = 0; i < crowd->count; i++) {
        struct client *client = &crowd->clients[i];
        bool sends = begun < senders && seat_sends(client->seat);
        client->due_at = 0;
        if (sends && tally->interval == 0)
            client_send_message(client);
        else if (sends)
            client->due_at = now + tally->interval * begun / senders;
        begun += sends;
    }
}

static struct round load(const struct options *options, size_t senders, const struct crowd *crowd)
{
    struct tally *tally = crowd->tally;
    struct round round = {.windows = calloc(options->windows, sizeof *round.windows)};
    tally->sending = true;
    begin(crowd, senders);
    run_until(crowd, in_seconds(options->warm_up));
    fputs("measuring\n", stderr); /* whoever wants to attach a profiler does it now */
    for (unsigned i = 0; i < options->windows; i++)
        measure(&round.windows[i], options, crowd);
    fputs("measured\n", stderr);
    drain(crowd);
    round.tally = *tally;
    return round;
}

struct result run(const struct options *options, const struct plan *plan)
{
    static struct tally tally;
    tally.interval = (uint64_t)(options->interval * 1e9);
    struct client *clients = calloc(plan->count, sizeof *clients);
    struct crowd crowd = {.clients = clients, .count = plan->count, .tally = &tally, .epoll = epoll_create1(0)};
    struct result result = {.rounds = calloc(options->rounds, sizeof *result.rounds)};
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->seats[i].node >= options->nodes)
            errx(2, "%s: line %zu: there is no port %u", options->plan, i + 1, plan->seats[i].node);
        clients[i] = (struct client){.seat = &plan->seats[i], .tally = &tally, .host = options->host};
    }
    result.resident_before = spent_so_far(options->server_pid).server.resident;
    result.connecting = gather(options, &crowd);
    for (size_t i = 0; i < options->rounds; i++)
        result.rounds[i] = load(options, options->senders[i], &crowd);
    return result;
}
