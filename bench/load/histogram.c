#include "histogram.h"

#include <string.h>

enum { SUB_BITS = 6, SUB_BUCKETS = 1 << SUB_BITS };

void histogram_reset(struct histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
}

/* Values below 128 have a bucket each; above, `shift` low bits are dropped. */
void histogram_record(struct histogram *histogram, uint64_t value)
{
    unsigned shift = 0;
    if (value >= 2 * SUB_BUCKETS)
        shift = 63 - (unsigned)__builtin_clzll(value) - SUB_BITS;
    histogram->counts[shift * SUB_BUCKETS + (value >> shift)]++;
    histogram->total++;
    if (value > histogram->max)
        histogram->max = value;
}

static uint64_t middle_of(unsigned bucket)
{
    unsigned shift = bucket < 2 * SUB_BUCKETS ? 0 : bucket / SUB_BUCKETS - 1;
    uint64_t start = (uint64_t)(bucket - shift * SUB_BUCKETS) << shift;
    return start + ((1ULL << shift) >> 1);
}

uint64_t histogram_quantile(const struct histogram *histogram, double quantile)
{
    double wanted = quantile * (double)histogram->total;
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->counts[bucket];
        if (seen > 0 && (double)seen >= wanted)
            return middle_of(bucket);
    }
    return 0;
}
