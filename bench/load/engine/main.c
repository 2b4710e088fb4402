/* Load generator for the engine and its peers: one scenario against one server, prints one JSON object. */
#include "coming.h"
#include "output.h"
#include "traffic.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "usage: engine broadcast|echo --clients N [--in-flight N] [--warm-up SECONDS] [--window SECONDS] [--windows N]\n"
    "       engine coming --clients N,N... --drop N\n"
    "both:  [--host HOST] --port PORT[,PORT...] --pid SERVER_PID\n";

struct options {
    const char *scenario, *host;
    char *ports;
    int server_pid;
    size_t clients[STEPS_MAX], steps, drop;
    unsigned in_flight;
    struct schedule schedule;
};

/* Read "1000,10000". */
static void parse_clients(struct options *options, char *text)
{
    options->steps = 0;
    for (char *number = strtok(text, ","); number != NULL && options->steps < STEPS_MAX; number = strtok(NULL, ","))
        options->clients[options->steps++] = strtoul(number, NULL, 10);
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option LONG[] = {
        {"host", required_argument, 0, 'h'},      {"port", required_argument, 0, 'p'},
        {"pid", required_argument, 0, 'i'},       {"clients", required_argument, 0, 'c'},
        {"in-flight", required_argument, 0, 'f'}, {"warm-up", required_argument, 0, 'u'},
        {"window", required_argument, 0, 'w'},    {"windows", required_argument, 0, 'n'},
        {"drop", required_argument, 0, 'd'},      {0},
    };
    struct options options = {.host = "127.0.0.1", .in_flight = 1, .schedule = {1, 3, 3}};
    for (int option; (option = getopt_long(argc, argv, "", LONG, NULL)) != -1;) {
        switch (option) {
        case 'h': options.host = optarg; break;
        case 'p': options.ports = optarg; break;
        case 'i': options.server_pid = atoi(optarg); break;
        case 'c': parse_clients(&options, optarg); break;
        case 'f': options.in_flight = (unsigned)atoi(optarg); break;
        case 'u': options.schedule.warm_up = atof(optarg); break;
        case 'w': options.schedule.window = atof(optarg); break;
        case 'n': options.schedule.windows = (unsigned)atoi(optarg); break;
        case 'd': options.drop = strtoul(optarg, NULL, 10); break;
        default: errx(2, "%s", USAGE);
        }
    }
    if (optind + 1 != argc || !options.ports || !options.server_pid || !options.steps || !options.in_flight)
        errx(2, "%s", USAGE);
    options.scenario = argv[optind];
    return options;
}

static void print_traffic(const struct traffic *traffic, unsigned windows)
{
    printf("{\"unanswered\": %lu, \"strange\": %lu, \"windows\": [\n", traffic->unanswered, traffic->strange);
    for (unsigned i = 0; i < windows; i++) {
        const struct window *window = &traffic->windows[i];
        printf(" {\"units\": %lu, ", window->units);
        print_latency("latency_ms", &window->latency);
        print_spent(&window->spent);
        puts(i + 1 < windows ? "," : "]}");
    }
}

static void print_coming(const struct coming *coming, const struct options *options)
{
    printf("{\"resident_before\": %lu, \"gathered\": [\n", coming->resident_before);
    for (size_t i = 0; i < options->steps; i++) {
        printf(" {\"clients\": %zu, ", options->clients[i]);
        print_spent(&coming->gathered[i]);
        puts(i + 1 < options->steps ? "," : "],");
    }
    printf(" \"dropped\": {\"clients\": %zu, ", options->drop);
    print_spent(&coming->dropped);
    printf(", \"resident_after\": %lu}\n", coming->resident_after);
}

static void print_coming_of(struct crowd *crowd, const struct options *options)
{
    if (options->drop > options->clients[options->steps - 1])
        errx(2, "%s", USAGE);
    struct coming result = coming(crowd, options->clients, options->steps, options->drop, options->server_pid);
    print_coming(&result, options);
}

static void print_traffic_of(struct crowd *crowd, const struct options *options)
{
    const struct schedule *schedule = &options->schedule;
    bool echoes = strcmp(options->scenario, "echo") == 0;
    if (!echoes && strcmp(options->scenario, "broadcast") != 0)
        errx(2, "%s", USAGE);
    crowd_gather(crowd, crowd->size);
    struct traffic result = (echoes ? echo : broadcast)(crowd, options->in_flight, schedule, options->server_pid);
    if (crowd->closed > 0)
        errx(1, "%zu connections were closed by the server", crowd->closed);
    print_traffic(&result, schedule->windows);
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    static struct crowd crowd;
    open_files(options.server_pid); /* exits where there is no such process, of which all figures would be 0 */
    crowd_init(&crowd, options.clients[options.steps - 1], options.host, options.ports);
    (strcmp(options.scenario, "coming") == 0 ? print_coming_of : print_traffic_of)(&crowd, &options);
    return 0;
}
