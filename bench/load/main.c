/* Load generator for Parley: reads a plan of clients, loads a server, prints one JSON object. */
#include "run.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static const char USAGE[] =
    "usage: load --plan FILE [--host HOST] --port PORT [--pid SERVER_PID]\n"
    "            [--warm-up SECONDS] [--window SECONDS] [--windows N]\n";

static struct options parse_options(int argc, char **argv)
{
    static const struct option LONG[] = {
        {"host", required_argument, 0, 'h'},   {"port", required_argument, 0, 'p'},
        {"plan", required_argument, 0, 'f'},   {"pid", required_argument, 0, 'i'},
        {"warm-up", required_argument, 0, 'u'}, {"window", required_argument, 0, 'w'},
        {"windows", required_argument, 0, 'n'}, {0},
    };
    struct options options = {.host = "127.0.0.1", .warm_up = 1, .window = 3, .windows = 3};
    for (int option; (option = getopt_long(argc, argv, "", LONG, NULL)) != -1;) {
        switch (option) {
        case 'h': options.host = optarg; break;
        case 'p': options.port = optarg; break;
        case 'f': options.plan = optarg; break;
        case 'i': options.server_pid = atoi(optarg); break;
        case 'u': options.warm_up = atof(optarg); break;
        case 'w': options.window = atof(optarg); break;
        case 'n': options.windows = (unsigned)atoi(optarg); break;
        default: errx(2, "%s", USAGE);
        }
    }
    if (options.plan == NULL || options.port == NULL)
        errx(2, "%s", USAGE);
    return options;
}

static void allow_files(size_t wanted)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        errx(1, "%zu open files needed, %zu allowed (ulimit -Hn)", wanted, (size_t)limit.rlim_cur);
}

static void print_latency(const char *name, const struct histogram *latency)
{
    printf("\"%s\": {\"count\": %lu, \"p50\": %.4f, \"p99\": %.4f, \"max\": %.4f}, ", name, latency->total,
           (double)histogram_quantile(latency, 0.50) / 1e6, (double)histogram_quantile(latency, 0.99) / 1e6,
           (double)latency->max / 1e6);
}

static void print_window(const struct window *window)
{
    printf("  {\"seconds\": %.4f, \"acked\": %lu, \"deliveries\": %lu, ", window->seconds, window->acked,
           window->deliveries);
    print_latency("ack_ms", &window->ack_latency);
    print_latency("delivery_ms", &window->delivery_latency);
    printf("\"server_user_s\": %.2f, \"server_system_s\": %.2f, \"server_rss_bytes\": %lu, \"generator_s\": %.3f, "
           "\"machine_s\": %.2f}",
           window->server.user, window->server.system, window->server.resident,
           window->generator.user + window->generator.system, window->machine);
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    struct plan plan = plan_read(options.plan);
    allow_files(plan.count + 16);
    struct result result = run(&options, &plan);
    const struct tally *tally = &result.tally;
    printf("{\"clients\": %zu, \"senders\": %zu, \"rooms\": %zu, \"connect_s\": %.3f,\n", plan.count, plan.senders,
           plan.rooms, result.connect_seconds);
    printf(" \"acked\": %lu, \"expected_deliveries\": %lu, \"deliveries\": %lu,\n", tally->acked, tally->expected,
           tally->deliveries);
    printf(" \"unanswered\": %zu, \"refused\": %lu, \"closed\": %lu, \"room_behind\": %lu,\n \"windows\": [\n",
           tally->in_flight, tally->refused, tally->closed, tally->behind);
    for (unsigned i = 0; i < options.windows; i++) {
        print_window(&result.windows[i]);
        puts(i + 1 < options.windows ? "," : "\n]}");
    }
    return 0;
}
