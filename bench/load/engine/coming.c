#include "coming.h"

#include <err.h>

enum {
    FIRST = 20,         /* come and go before anything is measured: what a server builds once */
    QUIET_DEADLINE = 180, /* seconds */
};

static const double REST = 2;      /* seconds until memory is looked at */
static const double LOOK = 0.5;    /* seconds between two looks at a server that should become quiet */
static const double QUIET = 0.015; /* seconds of CPU in between: one tick of the kernel's clock at most */

static void rest(struct crowd *crowd)
{
    crowd_run(crowd, REST);
}

static struct spent gather(struct crowd *crowd, size_t count, int server_pid)
{
    struct spent before = spent_so_far(server_pid);
    crowd_gather(crowd, count);
    struct spent spent = spent_since(&before, server_pid);
    rest(crowd);
    spent.server.resident = spent_so_far(server_pid).server.resident;
    return spent;
}

/* Quiet is: next to no CPU, and the files closed; a server may put either off. */
static struct spent drop(struct crowd *crowd, size_t count, int server_pid)
{
    size_t files = open_files(server_pid);
    uint64_t deadline = in_seconds(QUIET_DEADLINE);
    struct spent before = spent_so_far(server_pid);
    crowd_drop(crowd, count);
    for (;;) {
        struct spent look = spent_so_far(server_pid);
        crowd_run(crowd, LOOK);
        struct spent since = spent_since(&look, server_pid);
        if (since.server.user + since.server.system < QUIET && open_files(server_pid) + count <= files)
            break;
        if (now_ns() > deadline)
            errx(1, "the server did not become quiet after %zu clients had gone", count);
    }
    return spent_since(&before, server_pid);
}

struct coming coming(struct crowd *crowd, const size_t *steps, size_t count, size_t leave, int server_pid)
{
    struct coming coming;
    crowd_gather(crowd, FIRST);
    drop(crowd, FIRST, server_pid);
    coming.resident_before = spent_so_far(server_pid).server.resident;
    for (size_t i = 0; i < count; i++)
        coming.gathered[i] = gather(crowd, steps[i], server_pid);
    coming.dropped = drop(crowd, leave, server_pid);
    drop(crowd, crowd->started, server_pid);
    rest(crowd); /* a server may take its time to give memory back */
    coming.resident_after = spent_so_far(server_pid).server.resident;
    return coming;
}
