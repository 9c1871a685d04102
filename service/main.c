/*
 * farfield-service [--host H] [--https-port N] [--router-port N]: the service, in the foreground.
 * It logs to standard error and says on descriptor 3 that it is ready (protocol/core/process.h).
 * SIGTERM stops it, SIGHUP reads its configuration again.
 */
#include "protocol/core/file.h"
#include "protocol/core/log.h"
#include "protocol/core/process.h"
#include "protocol/core/text.h"
#include "service/service.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { EXIT_WRONG_USE = 2, PORT_MOST = 65535 };

static const char usage[] =
    "usage: farfield-service [--host ADDRESS] [--https-port N] [--router-port N]\n"
    "\n"
    "Runs the Farfield service of $FARFIELD_HOME (~/.farfield) in the foreground.\n"
    "The options go before what service/config.yaml says.\n"
    "\n"
    "  farfield-service --host 0.0.0.0 --https-port 8443 --router-port 8444\n";

static int take_port(const char *option, const char *text, int64_t *port)
{
    if (ff_text_integer(text, 0, PORT_MOST, port) == 0)
        return 0;
    fprintf(stderr, "farfield-service: %s is \"%s\"; it must be a port, 0 to %d\n", option, text,
            PORT_MOST);
    return -1;
}

/* 0: go on. Else the exit status + 1. */
static int read_options(int argc, char **argv, struct ff_service_options *options)
{
    static const struct option known[] = {{"host", required_argument, NULL, 'h'},
                                          {"https-port", required_argument, NULL, 's'},
                                          {"router-port", required_argument, NULL, 'r'},
                                          {"help", no_argument, NULL, '?' + 128},
                                          {NULL, 0, NULL, 0}};
    int got;
    while ((got = getopt_long(argc, argv, "", known, NULL)) != -1) {
        int taken = 0;
        if (got == 'h')
            options->host = optarg;
        else if (got == 's')
            taken = take_port("--https-port", optarg, &options->https_port);
        else if (got == 'r')
            taken = take_port("--router-port", optarg, &options->router_port);
        else if (got == '?')
            taken = -1;
        else
            return fputs(usage, stdout) >= 0 ? EXIT_SUCCESS + 1 : EXIT_FAILURE + 1;
        if (taken < 0)
            break;
    }
    if (got == -1 && optind == argc)
        return 0;
    fputs(usage, stderr);
    return EXIT_WRONG_USE + 1;
}

static const int signals[] = {SIGTERM, SIGINT, SIGHUP, 0};

/* Before any thread begins, so that all of them have it. */
static void block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; signals[i] != 0; i++)
        sigaddset(&set, signals[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        ff_log(FF_LOG_WARNING, "the limit of open files stays low");
}

static void caught(void *user, int signal_number)
{
    struct ff_service *service = user;
    struct ff_error error;
    if (signal_number != SIGHUP) {
        ff_log(FF_LOG_INFO, "stopping: %s", strsignal(signal_number));
        ff_service_stop(service);
        return;
    }
    ff_log_reopen();
    if (ff_service_reload(service, &error) < 0)
        ff_log_error("the configuration was not read again", &error);
    else
        ff_log(FF_LOG_INFO, "the configuration was read again");
}

static int fail(const struct ff_error *error)
{
    ff_log_error("the service does not run", error);
    ff_process_say_failed(error);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct ff_service_options options = {NULL, -1, -1};
    struct ff_error error;
    char url[512];
    int refused = read_options(argc, argv, &options);
    if (refused != 0)
        return refused - 1;
    umask(077); /* the ledger, its journal and the objects, too, are for the owner alone */
    block_signals();
    raise_file_limit();
    if (ff_log_open("service", NULL, FF_LOG_INFO, &error) < 0)
        return fail(&error);
    char *home = ff_home(&error);
    struct ff_service *service = home != NULL ? ff_service_create(home, &options, &error) : NULL;
    free(home);
    if (service == NULL || ff_loop_signals(service->loop, signals, caught, service, &error) < 0) {
        ff_service_destroy(service);
        return fail(&error);
    }
    ff_service_url(service, url, sizeof url);
    ff_log(FF_LOG_INFO, "serving at %s, endpoints at port %d", url, service->router_port);
    ff_process_say_ready(url);
    int result = ff_service_run(service, &error);
    ff_service_destroy(service);
    if (result < 0)
        return fail(&error);
    ff_log(FF_LOG_INFO, "stopped");
    return EXIT_SUCCESS;
}
