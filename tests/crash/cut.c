/* Counts the calls by which a process changes files and talks to one port, and cuts it off at the K-th.
 *
 * Environment: CUT_FOLDER (files below it count), CUT_PORT (sockets to it count), CUT_AT (the K-th call; 0 cuts
 * nothing), CUT_HOW (before, after: SIGKILL; enospc, eio: this call fails; full: this and all later writes fail),
 * CUT_LOG (a line for each counted call: its number, its thread, the call, what it was about), CUT_DISK (power.c).
 * A process that was forked from one with this library calls cut_begin() when it begins.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

void power_begin(void), power_synced(int file), power_left(const char *path);
static atomic_int count;
static const char *folder, *how;
static int at, port, log_file = -1;

__attribute__((constructor)) void cut_begin(void) {
    const char *text = getenv("CUT_AT");
    folder = getenv("CUT_FOLDER");
    how = getenv("CUT_HOW");
    at = text ? atoi(text) : 0;
    text = getenv("CUT_PORT");
    port = text ? atoi(text) : 0;
    text = getenv("CUT_LOG");
    if (text) log_file = (int)syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    unsetenv("LD_PRELOAD"); /* children are not counted */
    power_begin();
}

static int below(const char *path) {
    size_t length = folder ? strlen(folder) : 0;
    return length && path && (path[0] != '/' || (!strncmp(path, folder, length) && (path[length] == '/' || !path[length])));
}

static const char *target(int file, char *into, size_t room) {
    char name[64];
    ssize_t length;
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    length = readlink(name, into, room - 1);
    if (length < 0) return NULL;
    into[length] = 0;
    if (into[0] == '/') return below(into) ? into : NULL;
    if (!port || getpeername(file, (struct sockaddr *)&peer, &size) || peer.sin_family != AF_INET) return NULL;
    if (ntohs(peer.sin_port) != port) return NULL;
    strcpy(into, "the provider");
    return into;
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

/* 0: go on; 1: die after the call; -1: the call fails, errno is set. */
static int step(const char *call, const char *what, int writes) {
    int number = ++count;
    if (log_file >= 0) {
        char line[600];
        int length = snprintf(line, sizeof line, "%d %d %s %s\n", number, gettid(), call, what);
        syscall(SYS_write, log_file, line, length > 599 ? 599 : length);
    }
    if (!at || !how || number < at) return 0;
    if (number == at && !strcmp(how, "before")) die();
    if (number == at && !strcmp(how, "after")) return 1;
    if (!writes || !strcmp(what, "the provider")) return 0;
    if (number == at && !strcmp(how, "eio")) return errno = EIO, -1;
    if (number == at && !strcmp(how, "enospc")) return errno = ENOSPC, -1;
    if (!strcmp(how, "full") && writes == 2) return errno = ENOSPC, -1;
    return 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CUT(name, shown, writes, call)                      \
    do {                                                    \
        int verdict = step(name, shown, writes);            \
        if (verdict < 0) return -1;                         \
        __typeof__(call) result = (call);                   \
        if (verdict > 0) die();                             \
        return result;                                      \
    } while (0)
#define BY_FILE(name, file, writes, call)                   \
    do {                                                    \
        char where[4200];                                   \
        const char *shown = target(file, where, sizeof where); \
        if (!shown) return call;                            \
        CUT(name, shown, writes, call);                     \
    } while (0)

ssize_t write(int file, const void *data, size_t size) { BY_FILE("write", file, 2, REAL(write)(file, data, size)); }
ssize_t pwrite(int file, const void *data, size_t size, off_t place) { BY_FILE("pwrite", file, 2, REAL(pwrite)(file, data, size, place)); }
ssize_t pwrite64(int file, const void *data, size_t size, off64_t place) { BY_FILE("pwrite", file, 2, REAL(pwrite64)(file, data, size, place)); }
int fsync(int file) { BY_FILE("fsync", file, 1, (power_synced(file), REAL(fsync)(file))); }
int fdatasync(int file) { BY_FILE("fdatasync", file, 1, (power_synced(file), REAL(fdatasync)(file))); }
int ftruncate(int file, off_t size) { BY_FILE("ftruncate", file, 1, REAL(ftruncate)(file, size)); }
int ftruncate64(int file, off64_t size) { BY_FILE("ftruncate", file, 1, REAL(ftruncate64)(file, size)); }
ssize_t send(int file, const void *data, size_t size, int flags) { BY_FILE("send", file, 0, REAL(send)(file, data, size, flags)); }
ssize_t recv(int file, void *data, size_t size, int flags) { BY_FILE("recv", file, 0, REAL(recv)(file, data, size, flags)); }
int rename(const char *from, const char *to) {
    if (!below(to)) return REAL(rename)(from, to);
    CUT("rename", to, 1, (power_left(to), REAL(rename)(from, to)));
}
/* The path of a name in an open folder. */
static const char *in_folder(int open_folder, const char *name, char *into, size_t room) {
    char link[64];
    if (open_folder == AT_FDCWD || name[0] == '/') return name;
    snprintf(link, sizeof link, "/proc/self/fd/%d", open_folder);
    ssize_t length = readlink(link, into, room - 1);
    if (length < 0) return name;
    snprintf(into + length, room - length, "/%s", name);
    return into;
}
int renameat(int a, const char *from, int b, const char *to) {
    char where[4400];
    const char *path = in_folder(b, to, where, sizeof where);
    if (!below(path)) return REAL(renameat)(a, from, b, to);
    CUT("rename", path, 1, (power_left(path), REAL(renameat)(a, from, b, to)));
}
int unlinkat(int a, const char *name, int flags) {
    char where[4400];
    const char *path = in_folder(a, name, where, sizeof where);
    if (!below(path)) return REAL(unlinkat)(a, name, flags);
    CUT("unlink", path, 1, (power_left(path), REAL(unlinkat)(a, name, flags)));
}
int link(const char *from, const char *to) {
    if (!below(to)) return REAL(link)(from, to);
    CUT("link", to, 1, REAL(link)(from, to));
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    if (!below(to)) return REAL(linkat)(a, from, b, to, flags);
    CUT("link", to, 1, REAL(linkat)(a, from, b, to, flags));
}
int unlink(const char *path) {
    if (!below(path)) return REAL(unlink)(path);
    CUT("unlink", path, 1, (power_left(path), REAL(unlink)(path)));
}
