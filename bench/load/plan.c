#include "plan.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct seat parse_seat(char *line, const char *path, size_t number)
{
    char *rest = NULL;
    char *room = strtok_r(line, " \n", &rest);
    char *role = strtok_r(NULL, " \n", &rest);
    char *token = strtok_r(NULL, " \n", &rest);
    if (token == NULL)
        errx(2, "%s:%zu: expected ROOM send|listen TOKEN", path, number);
    return (struct seat){.room = strdup(room), .token = strdup(token), .sends = strcmp(role, "send") == 0};
}

/* The members of a room stand together in the plan, so that a run of equal names is a room. */
static void count_rooms(struct plan *plan)
{
    size_t start = 0;
    for (size_t i = 1; i <= plan->count; i++) {
        if (i < plan->count && strcmp(plan->seats[i].room, plan->seats[start].room) == 0)
            continue;
        for (size_t member = start; member < i; member++)
            plan->seats[member].room_members = (unsigned)(i - start);
        plan->rooms++;
        start = i;
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
        plan.senders += plan.seats[plan.count].sends;
        plan.count++;
    }
    free(line);
    fclose(file);
    if (plan.senders == 0)
        errx(2, "%s: nobody sends", path);
    count_rooms(&plan);
    return plan;
}
