/* What a process has used so far, as the kernel counts it. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stddef.h>
#include <stdint.h>

struct usage {
    double user;   /* seconds, in steps of 10 ms for another process */
    double system; /* seconds */
    uint64_t resident; /* bytes */
};

/* What was used up to a moment, or from one to another. */
struct spent {
    double seconds;
    struct usage server;    /* memory: at the end */
    struct usage generator; /* no memory */
    double machine; /* seconds that a processor was busy, for whomever: of all processors together */
};

struct spent spent_so_far(int server_pid);
struct spent spent_since(const struct spent *before, int server_pid);

/* Monotonic nanoseconds. */
uint64_t now_ns(void);

/* How many files a process has open. */
size_t open_files(int pid);

/* Let this process open so many files, or exit with a message. */
void allow_files(size_t wanted);

#endif
