#include "process.h"

#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static size_t read_proc(int pid, const char *name, char *out, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    FILE *file = fopen(path, "r");
    size_t length = 0;
    if (file != NULL) {
        length = fread(out, 1, size - 1, file);
        fclose(file);
    }
    out[length] = '\0';
    return length;
}

static struct usage usage_of(int pid)
{
    struct usage usage = {0};
    char text[1024];
    unsigned long user, system, pages;
    read_proc(pid, "stat", text, sizeof text);
    /* Fields 14 and 15; count from the last bracket, a process name may hold spaces. */
    const char *rest = strrchr(text, ')');
    if (rest && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2) {
        usage.user = (double)user / (double)sysconf(_SC_CLK_TCK);
        usage.system = (double)system / (double)sysconf(_SC_CLK_TCK);
    }
    read_proc(pid, "statm", text, sizeof text);
    if (sscanf(text, "%*u %lu", &pages) == 1)
        usage.resident = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return usage;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static struct usage usage_of_self(void)
{
    struct rusage self;
    getrusage(RUSAGE_SELF, &self);
    return (struct usage){.user = seconds(self.ru_utime), .system = seconds(self.ru_stime)};
}

static double machine_busy(void)
{
    /* user nice system idle iowait irq softirq steal: all but the two that wait */
    unsigned long t[8] = {0};
    FILE *file = fopen("/proc/stat", "r");
    if (file == NULL || fscanf(file, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", &t[0], &t[1], &t[2], &t[3], &t[4], &t[5],
                               &t[6], &t[7]) != 8)
        return 0;
    fclose(file);
    return (double)(t[0] + t[1] + t[2] + t[5] + t[6] + t[7]) / (double)sysconf(_SC_CLK_TCK);
}

uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

struct spent spent_so_far(int server_pid)
{
    return (struct spent){(double)now_ns() / 1e9, usage_of(server_pid), usage_of_self(), machine_busy()};
}

static struct usage used_between(struct usage before, struct usage after)
{
    return (struct usage){after.user - before.user, after.system - before.system, after.resident};
}

struct spent spent_since(const struct spent *before, int server_pid)
{
    struct spent after = spent_so_far(server_pid);
    return (struct spent){after.seconds - before->seconds, used_between(before->server, after.server),
                          used_between(before->generator, after.generator), after.machine - before->machine};
}

size_t open_files(int pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *folder = opendir(path);
    if (folder == NULL)
        err(1, "%s", path);
    size_t count = 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

void allow_files(size_t wanted)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        errx(1, "%zu open files needed, %zu allowed (ulimit -Hn)", wanted, (size_t)limit.rlim_cur);
}
