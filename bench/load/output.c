#include "output.h"

#include <stdio.h>

void print_latency(const char *name, const struct histogram *latency)
{
    printf("\"%s\": {\"count\": %lu, \"p50\": %.4f, \"p99\": %.4f, \"max\": %.4f}, ", name, latency->total,
           (double)histogram_quantile(latency, 0.50) / 1e6, (double)histogram_quantile(latency, 0.99) / 1e6,
           (double)latency->max / 1e6);
}

void print_spent(const struct spent *spent)
{
    printf("\"seconds\": %.4f, \"server_user_s\": %.2f, \"server_system_s\": %.2f, \"server_rss_bytes\": %lu, "
           "\"generator_s\": %.3f, \"machine_s\": %.2f}",
           spent->seconds, spent->server.user, spent->server.system, spent->server.resident,
           spent->generator.user + spent->generator.system, spent->machine);
}
