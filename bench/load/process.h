/* What a process has used so far, as the kernel counts it. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdint.h>

struct usage {
    double user;   /* seconds, in steps of 10 ms for another process */
    double system; /* seconds */
    uint64_t resident; /* bytes */
};

struct usage usage_of(int pid);
struct usage usage_of_self(void);

/* Seconds in which a processor was busy, of all processors together and since the start of the machine. */
double machine_busy(void);

/* Monotonic nanoseconds. */
uint64_t now_ns(void);

#endif
