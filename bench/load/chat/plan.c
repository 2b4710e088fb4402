#include "plan.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool seat_sends(const struct seat *seat)
{
    return seat->role == SEND || seat->role == POST;
}

static int role_named(const char *name)
{
    static const char *const NAMES[] = {[LISTEN] = "listen", [SEND] = "send", [WATCH] = "watch", [POST] = "post"};
    for (int role = 0; name != NULL && role < (int)(sizeof NAMES / sizeof *NAMES); role++)
        if (strcmp(name, NAMES[role]) == 0)
            return role;
    return -1;
}

static struct seat parse_seat(char *line, const char *path, size_t number)
{
    char *rest = NULL;
    char *room = strtok_r(line, " \n", &rest);
    int role = role_named(strtok_r(NULL, " \n", &rest));
    char *token = strtok_r(NULL, " \n", &rest);
    char *node = strtok_r(NULL, " \n", &rest);
    unsigned long of = node == NULL ? 0 : strtoul(node, NULL, 10);
    if (role < 0 || token == NULL || of >= NODES_MAX)
        errx(2, "%s:%zu: expected ROOM send|listen|watch|post TOKEN [NODE]", path, number);
    return (struct seat){
        .room = strdup(room), .token = strdup(token), .role = (enum role)role, .node = (unsigned)of};
}

/* The clients of a room stand together in the plan, so that a run of equal names is a room. */
static void count_rooms(struct plan *plan)
{
    for (size_t start = 0, end; start < plan->count; start = end) {
        unsigned hearers = 0;
        for (end = start; end < plan->count && strcmp(plan->seats[end].room, plan->seats[start].room) == 0; end++)
            hearers += plan->seats[end].role != POST;
        for (size_t i = start; i < end; i++)
            plan->seats[i].room_hearers = hearers;
        plan->rooms++;
    }
}

struct plan plan_read(const char *path)
{
    struct plan plan = {0};
    FILE *file = fopen(path, "r");
    if (file == NULL)
        err(2, "%s", path);
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) > 0) {
        plan.seats = realloc(plan.seats, (plan.count + 1) * sizeof *plan.seats);
        plan.seats[plan.count] = parse_seat(line, path, plan.count + 1);
        plan.senders += seat_sends(&plan.seats[plan.count]);
        plan.count++;
    }
    free(line);
    fclose(file);
    if (plan.senders == 0)
        errx(2, "%s: nobody sends", path);
    count_rooms(&plan);
    return plan;
}
