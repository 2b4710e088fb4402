/* Load generator for Parley: reads a plan of clients, loads a server, prints one JSON object. */
#include "run.h"

#include "output.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "usage: load --plan FILE [--host HOST] --port PORT[,PORT...] [--pid SERVER_PID]\n"
    "            [--warm-up SECONDS] [--window SECONDS] [--windows N] [--senders N,N...] [--interval SECONDS]\n";

/* Read "1,16": a round with one sender, then one with 16. */
static void parse_senders(struct options *options, char *text)
{
    static size_t senders[16];
    options->senders = senders;
    options->rounds = 0;
    for (char *number = strtok(text, ","); number != NULL && options->rounds < 16; number = strtok(NULL, ","))
        senders[options->rounds++] = strtoul(number, NULL, 10);
}

/* Read "8080,8081": the ports of nodes 0 and 1. */
static void parse_ports(struct options *options, char *text)
{
    options->nodes = 0;
    for (char *port = strtok(text, ","); port != NULL && options->nodes < NODES_MAX; port = strtok(NULL, ","))
        options->ports[options->nodes++] = port;
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option LONG[] = {
        {"host", required_argument, 0, 'h'},   {"port", required_argument, 0, 'p'},
        {"plan", required_argument, 0, 'f'},   {"pid", required_argument, 0, 'i'},
        {"warm-up", required_argument, 0, 'u'}, {"window", required_argument, 0, 'w'},
        {"windows", required_argument, 0, 'n'}, {"senders", required_argument, 0, 's'},
        {"interval", required_argument, 0, 't'}, {0},
    };
    static const size_t EVERYBODY = SIZE_MAX;
    struct options options = {
        .host = "127.0.0.1", .warm_up = 1, .window = 3, .windows = 3, .rounds = 1, .senders = &EVERYBODY};
    for (int option; (option = getopt_long(argc, argv, "", LONG, NULL)) != -1;) {
        switch (option) {
        case 'h': options.host = optarg; break;
        case 'p': parse_ports(&options, optarg); break;
        case 'f': options.plan = optarg; break;
        case 'i': options.server_pid = atoi(optarg); break;
        case 'u': options.warm_up = atof(optarg); break;
        case 'w': options.window = atof(optarg); break;
        case 'n': options.windows = (unsigned)atoi(optarg); break;
        case 't': options.interval = atof(optarg); break;
        case 's': parse_senders(&options, optarg); break;
        default: errx(2, "%s", USAGE);
        }
    }
    if (options.plan == NULL || options.nodes == 0)
        errx(2, "%s", USAGE);
    return options;
}

static void print_window(const struct window *window, size_t nodes)
{
    printf("  {\"acked\": %lu, \"deliveries\": %lu, \"nodes\": [", window->acked, window->deliveries);
    for (size_t i = 0; i < nodes; i++) {
        printf("%s{", i > 0 ? ", " : "");
        print_latency("ack_ms", &window->acks[i].latency);
        printf("\"acked\": %lu}", window->acks[i].count);
    }
    printf("], ");
    print_latency("ack_ms", &window->ack_latency);
    print_latency("delivery_ms", &window->delivery_latency);
    print_spent(&window->spent);
}

static void print_round(const struct round *round, unsigned windows, size_t nodes)
{
    const struct tally *tally = &round->tally;
    printf(" {\"acked\": %lu, \"expected_deliveries\": %lu, \"deliveries\": %lu,\n", tally->acked, tally->expected,
           tally->deliveries);
    printf("  \"unanswered\": %zu, \"refused\": %lu, \"closed\": %lu, \"room_behind\": %lu, \"windows\": [\n",
           tally->in_flight, tally->refused, tally->closed, tally->behind);
    for (unsigned i = 0; i < windows; i++) {
        print_window(&round->windows[i], nodes);
        puts(i + 1 < windows ? "," : "]}");
    }
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    struct plan plan = plan_read(options.plan);
    allow_files(plan.count + 16);
    struct result result = run(&options, &plan);
    printf("{\"clients\": %zu, \"rooms\": %zu, \"resident_before\": %lu,\n \"connecting\": {", plan.count, plan.rooms,
           result.resident_before);
    print_spent(&result.connecting);
    printf(",\n \"rounds\": [\n");
    for (size_t i = 0; i < options.rounds; i++) {
        print_round(&result.rounds[i], options.windows, options.nodes);
        puts(i + 1 < options.rounds ? "," : "]}");
    }
    return 0;
}
