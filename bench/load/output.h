/* The parts of the JSON output that all programs have. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "histogram.h"
#include "process.h"

/* Print `"NAME": {...}, `. */
void print_latency(const char *name, const struct histogram *latency);

/* Print the members of an object, and its closing brace. */
void print_spent(const struct spent *spent);

#endif
