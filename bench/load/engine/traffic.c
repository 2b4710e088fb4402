#include "traffic.h"

#include "member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DRAIN_DEADLINE = 20, /* seconds for the last units */
    LABEL = 4 + 16,      /* hex digits that tell one message from all others: its flight, when it was sent */
};

/* One message at a time, and what is known of it. */
struct flight {
    struct member *sender;
    uint64_t sent_at;
    unsigned missing; /* units */
    char argument[PAYLOAD + 1];
};

static struct {
    struct flight *flights;
    unsigned count;    /* of flights */
    unsigned expected; /* units of one message */
    const char *event;
    bool going; /* a message that is through is followed by the next */
    uint64_t units;
    uint64_t strange;
    struct histogram latency;
    unsigned per_member; /* flights: those of a member stand together */
} now_going;

static void send_next(struct flight *flight)
{
    unsigned number = (unsigned)(flight - now_going.flights);
    char type[16] = "42";
    if (now_going.per_member > 0)
        snprintf(type, sizeof type, "42%u", number % now_going.per_member);
    flight->sent_at = now_ns();
    flight->missing = now_going.expected;
    snprintf(flight->argument, sizeof flight->argument, "%04x%016lx%0*d", number, flight->sent_at, PAYLOAD - LABEL, 0);
    member_send(flight->sender, type, now_going.event, flight->argument);
}

static void on_unit(struct flight *flight, const char *argument, uint64_t now)
{
    if (flight->missing == 0 || memcmp(argument, flight->argument, PAYLOAD) != 0) {
        now_going.strange++;
        return;
    }
    histogram_record(&now_going.latency, now - flight->sent_at);
    now_going.units++;
    if (--flight->missing == 0 && now_going.going)
        send_next(flight);
}

static void on_msg(const char *argument, uint64_t now)
{
    unsigned number = 0;
    for (int i = 0; i < 4; i++) /* sscanf would be most of what a delivery costs here */
        number = number * 16 + ((unsigned)argument[i] & 15) + (argument[i] > '9' ? 9 : 0);
    if (number < now_going.count)
        on_unit(&now_going.flights[number], argument, now);
    else
        now_going.strange++;
}

static void on_ack(struct member *member, unsigned id, const char *argument, uint64_t now)
{
    size_t first = (size_t)(member - member->crowd->members) * now_going.per_member;
    if (id < now_going.per_member)
        on_unit(&now_going.flights[first + id], argument, now);
    else
        now_going.strange++;
}

static uint64_t missing(void)
{
    uint64_t units = 0;
    for (unsigned i = 0; i < now_going.count; i++)
        units += now_going.flights[i].missing;
    return units;
}

static struct window measure(struct crowd *crowd, const struct schedule *schedule, int server_pid)
{
    histogram_reset(&now_going.latency);
    uint64_t units = now_going.units;
    struct spent before = spent_so_far(server_pid);
    crowd_run(crowd, schedule->window);
    return (struct window){now_going.units - units, now_going.latency, spent_since(&before, server_pid)};
}

static struct traffic go(struct crowd *crowd, const struct schedule *schedule, int server_pid)
{
    struct traffic traffic = {.windows = calloc(schedule->windows, sizeof *traffic.windows)};
    now_going.going = true;
    for (unsigned i = 0; i < now_going.count; i++)
        send_next(&now_going.flights[i]);
    crowd_run(crowd, schedule->warm_up);
    fputs("measuring\n", stderr); /* whoever looks at more than one process does it now */
    for (unsigned i = 0; i < schedule->windows; i++)
        traffic.windows[i] = measure(crowd, schedule, server_pid);
    fputs("measured\n", stderr);
    now_going.going = false;
    for (uint64_t deadline = in_seconds(DRAIN_DEADLINE); missing() > 0 && now_ns() < deadline;)
        crowd_step(crowd, deadline);
    crowd_run(crowd, 0.2); /* one unit too many would come now */
    traffic.unanswered = missing();
    traffic.strange = now_going.strange;
    return traffic;
}

static void set_up(struct crowd *crowd, const char *event, unsigned flights, unsigned expected)
{
    now_going.flights = calloc(flights, sizeof *now_going.flights);
    now_going.count = flights;
    now_going.expected = expected;
    now_going.event = event;
    crowd->on_msg = on_msg;
    crowd->on_ack = on_ack;
}

struct traffic broadcast(struct crowd *crowd, unsigned in_flight, const struct schedule *schedule, int server_pid)
{
    set_up(crowd, "bcast", in_flight, (unsigned)crowd->ready);
    for (unsigned i = 0; i < in_flight; i++)
        now_going.flights[i].sender = &crowd->members[i % crowd->ready];
    return go(crowd, schedule, server_pid);
}

struct traffic echo(struct crowd *crowd, unsigned in_flight, const struct schedule *schedule, int server_pid)
{
    set_up(crowd, "echo", (unsigned)crowd->ready * in_flight, 1);
    now_going.per_member = in_flight;
    for (unsigned i = 0; i < now_going.count; i++)
        now_going.flights[i].sender = &crowd->members[i / in_flight];
    return go(crowd, schedule, server_pid);
}
