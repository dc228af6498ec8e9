/* A mail server for benchmarks: takes mail as fast as it comes, counts it, keeps none.
 *
 *     cc -O2 -o sink sink.c && ./sink FIGURES [DELAY_MS] [plain]
 *
 * Listens on a free port of 127.0.0.1 and prints it. The end of a message is answered after DELAY_MS, the latency of a
 * relay; "plain" offers no PIPELINING. FIGURES is a file of unsigned 64-bit numbers that is always up to date:
 * messages, bytes, connections, recipients, different recipients, and the microseconds (monotonic clock) of the first
 * and of the last message.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGES, BYTES, CONNECTIONS, RECIPIENTS, DIFFERENT, FIRST_US, LAST_US, FIGURES };
enum { ROOM = 1 << 16, REPLIES = 1 << 13, SLOTS = 1 << 22, EVENTS = 256 };

typedef struct client {
    int socket, in_body, closed;
    size_t filled, to_say;
    uint64_t answer_at;          /* when the end of its message is answered; 0 while none waits */
    struct client *next_waiting;
    char room[ROOM], replies[REPLIES];
} client;

static uint64_t *figures, *seen;
static uint64_t delay_us;
static int poller, pipelining = 1;
static client *first_waiting, *last_waiting;

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void note_recipient(const char *line, size_t length) {
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)line[i]) * 1099511628211u;
    hash |= 1;
    figures[RECIPIENTS]++;
    for (uint64_t at = (hash >> 20) % SLOTS;; at = (at + 1) % SLOTS) {
        if (seen[at] == hash) return;
        if (!seen[at]) { seen[at] = hash; figures[DIFFERENT]++; return; }
    }
}

static void say(client *one, const char *reply) {
    size_t length = strlen(reply);
    if (one->to_say + length <= REPLIES) { memcpy(one->replies + one->to_say, reply, length); one->to_say += length; }
}

static void flush(client *one) {
    size_t said = 0;
    while (said < one->to_say) {
        ssize_t wrote = write(one->socket, one->replies + said, one->to_say - said);
        if (wrote > 0) said += (size_t)wrote;
        else if (errno != EAGAIN) break;
    }
    one->to_say = 0;
}

static void take_message(client *one) {
    uint64_t now = now_us();
    if (!figures[MESSAGES]++) figures[FIRST_US] = now;
    figures[LAST_US] = now;
    one->in_body = 0;
    if (!delay_us) { say(one, "250 2.0.0 Ok: queued as 1\r\n"); return; }
    one->answer_at = now + delay_us;
    one->next_waiting = NULL;
    if (last_waiting) last_waiting->next_waiting = one; else first_waiting = one;
    last_waiting = one;
}

static void take_command(client *one, const char *line, size_t length) {
    if (!strncasecmp(line, "EHLO", 4)) {
        say(one, pipelining ? "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 52428800\r\n" : "250-sink\r\n250 8BITMIME\r\n");
    } else if (!strncasecmp(line, "RCPT", 4)) {
        note_recipient(line, length);
        say(one, "250 2.1.5 Ok\r\n");
    } else if (!strncasecmp(line, "DATA", 4)) {
        one->in_body = 1;
        say(one, "354 End data with a dot\r\n");
    } else if (!strncasecmp(line, "QUIT", 4)) {
        say(one, "221 2.0.0 Bye\r\n");
        one->closed = 1;
    } else {
        say(one, "250 2.0.0 Ok\r\n");
    }
}

/* Reads what has come as far as it is whole; stops where the end of a message waits for its answer. */
static void read_lines(client *one) {
    size_t at = 0;
    while (at < one->filled && !one->answer_at && !one->closed) {
        char *from = one->room + at;
        size_t left = one->filled - at;
        if (one->in_body) {
            int bare = one->in_body == 1 && left >= 3 && !memcmp(from, ".\r\n", 3); /* an empty message */
            char *end = bare ? from : memmem(from, left, "\r\n.\r\n", 5);
            if (end) {
                size_t used = bare ? 3 : (size_t)(end - from) + 5;
                figures[BYTES] += used;
                at += used;
                take_message(one);
            } else {
                if (left < 5) break;
                figures[BYTES] += left - 4; /* the end may be cut: four bytes stay */
                at += left - 4;
                one->in_body = 2;
                break;
            }
        } else {
            char *end = memchr(from, '\n', left);
            if (!end) break;
            take_command(one, from, (size_t)(end - from));
            at += (size_t)(end - from) + 1;
        }
    }
    memmove(one->room, one->room + at, one->filled - at);
    one->filled -= at;
}

static void end(client *one) {
    close(one->socket);
    one->socket = -1;
    if (!one->answer_at) free(one);
}

static void serve(client *one) {
    while (one->filled < ROOM) {
        ssize_t got = read(one->socket, one->room + one->filled, ROOM - one->filled);
        if (got == 0 || (got < 0 && errno != EAGAIN)) { end(one); return; }
        if (got < 0) break;
        one->filled += (size_t)got;
        read_lines(one);
    }
    flush(one);
    if (one->closed) end(one);
}

static void answer_those_waiting(void) {
    while (first_waiting && first_waiting->answer_at <= now_us()) {
        client *one = first_waiting;
        first_waiting = one->next_waiting;
        if (!first_waiting) last_waiting = NULL;
        one->answer_at = 0;
        if (one->socket < 0) { free(one); continue; }
        say(one, "250 2.0.0 Ok: queued as 1\r\n");
        read_lines(one);
        flush(one);
        if (one->closed) end(one);
    }
}

static void greet(int listener) {
    int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK), yes = 1;
    client *one = socket < 0 ? NULL : calloc(1, sizeof *one);
    if (!one) return;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    one->socket = socket;
    figures[CONNECTIONS]++;
    epoll_ctl(poller, EPOLL_CTL_ADD, socket, &(struct epoll_event){.events = EPOLLIN, .data.ptr = one});
    say(one, "220 sink ESMTP\r\n");
    flush(one);
}

int main(int count, char **words) {
    int file = count > 1 ? open(words[1], O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;
    if (file < 0 || ftruncate(file, FIGURES * sizeof *figures)) { fprintf(stderr, "sink FIGURES [DELAY_MS] [plain]\n"); return 2; }
    figures = mmap(NULL, FIGURES * sizeof *figures, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    seen = calloc(SLOTS, sizeof *seen);
    delay_us = count > 2 ? (uint64_t)atoi(words[2]) * 1000u : 0;
    pipelining = count < 4 || strcmp(words[3], "plain");
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    if (bind(listener, (struct sockaddr *)&place, size) || listen(listener, 512)) { perror("sink"); return 1; }
    getsockname(listener, (struct sockaddr *)&place, &size);
    printf("%d\n", ntohs(place.sin_port));
    fflush(stdout);
    poller = epoll_create1(0);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
    for (;;) {
        struct epoll_event events[EVENTS];
        int wait = -1;
        if (first_waiting) {
            uint64_t now = now_us();
            wait = first_waiting->answer_at <= now ? 0 : (int)((first_waiting->answer_at - now + 999) / 1000);
        }
        int ready = epoll_wait(poller, events, EVENTS, wait);
        for (int i = 0; i < ready; i++) {
            client *one = events[i].data.ptr;
            if (!one) greet(listener); else serve(one);
        }
        answer_those_waiting();
    }
}
