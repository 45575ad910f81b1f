/* Fails, or ends the process at, the n-th call by which anything below a folder is written or renamed; and lets
   the clock of the day jump by up to 30 years between two calls that read it.

   Loaded with LD_PRELOAD; armed by fault_arm, and in processes that an armed one starts by FAULT_BELOW, FAULT_DUE,
   FAULT_MODE and FAULT_COUNTER: they count together, in a file. From the n-th call on a full disk stays full. The
   call itself writes half of what it was given first, as a disk does that becomes full, or a process that is
   killed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char folder[PATH_MAX];
static long due = -1;   /* the call to fail, from 1; 0 counts only */
enum { FULL, DEADLY, READ_ONLY };
static int mode;        /* ENOSPC, SIGKILL, or EROFS without half of the data */
static long own;
static volatile long *calls = &own;

void fault_arm(const char *below, long n, int how, const char *counter) {
    int handle = open(counter, O_RDWR);
    void *shared = handle < 0 ? MAP_FAILED : mmap(NULL, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    if (handle >= 0) close(handle);
    calls = shared == MAP_FAILED ? &own : shared;
    snprintf(folder, sizeof folder, "%s", below);
    mode = how;
    due = n;
}

__attribute__((constructor)) static void armed_by_parent(void) {
    const char *below = getenv("FAULT_BELOW"), *n = getenv("FAULT_DUE"), *how = getenv("FAULT_MODE");
    const char *counter = getenv("FAULT_COUNTER");
    if (below && n && how && counter) fault_arm(below, atol(n), atoi(how), counter);
}

long fault_calls(void) { return *calls; }

static int jumping;
static volatile long readings;

void fault_clock(int jumps) {
    jumping = jumps;
    readings = 0;
}

long fault_readings(void) { return readings; }

static time_t jumped(time_t now) {
    const time_t month = 30 * 24 * 3600;
    long turn = __atomic_add_fetch(&readings, 1, __ATOMIC_SEQ_CST);
    return now + (turn * 7919 % 721 - 360) * month; /* a prime, so that all of -360 to 360 months come */
}

static int below_path(const char *path) { return due >= 0 && path && strncmp(path, folder, strlen(folder)) == 0; }

static int below_handle(int handle) {
    char link[64], path[PATH_MAX];
    if (due < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return below_path(path);
}

/* 0: go on; 1: this call is the one; 2: one after it */
static int strikes(void) {
    long mine = __atomic_add_fetch(calls, 1, __ATOMIC_SEQ_CST);
    return due == 0 || mine < due ? 0 : mine == due ? 1 : 2;
}

static int fails(void) {
    if (mode == DEADLY) kill(getpid(), SIGKILL);
    errno = mode == READ_ONLY ? EROFS : ENOSPC;
    return -1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int handle, const void *data, size_t n) {
    int hit = below_handle(handle) ? strikes() : 0;
    if (hit == 1 && n > 1 && mode != READ_ONLY) {
        ssize_t half = REAL(write)(handle, data, n / 2);
        return mode == DEADLY ? fails() : half;
    }
    return hit ? fails() : REAL(write)(handle, data, n);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    if (jumping && !result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec = jumped(now->tv_sec);
    return result;
}
int gettimeofday(struct timeval *now, void *zone) {
    int result = REAL(gettimeofday)(now, zone);
    if (jumping && !result) now->tv_sec = jumped(now->tv_sec);
    return result;
}
time_t time(time_t *now) {
    time_t result = REAL(time)(NULL);
    if (jumping) result = jumped(result);
    if (now) *now = result;
    return result;
}

#define POSITIONED(name, offset_type)                                              \
    ssize_t name(int handle, const void *data, size_t n, offset_type at) {         \
        int hit = below_handle(handle) ? strikes() : 0;                            \
        if (hit == 1 && n > 1 && mode != READ_ONLY) {                              \
            ssize_t half = REAL(name)(handle, data, n / 2, at);                    \
            return mode == DEADLY ? fails() : half;                                \
        }                                                                          \
        return hit ? fails() : REAL(name)(handle, data, n, at);                    \
    }
POSITIONED(pwrite, off_t)
POSITIONED(pwrite64, off64_t)

ssize_t writev(int handle, const struct iovec *data, int n) {
    return below_handle(handle) && strikes() ? fails() : REAL(writev)(handle, data, n);
}
int fsync(int handle) { return below_handle(handle) && strikes() ? fails() : REAL(fsync)(handle); }
int fdatasync(int handle) { return below_handle(handle) && strikes() ? fails() : REAL(fdatasync)(handle); }
int rename(const char *old, const char *new) { return below_path(new) && strikes() ? fails() : REAL(rename)(old, new); }
int mkdir(const char *path, mode_t mode) { return below_path(path) && strikes() ? fails() : REAL(mkdir)(path, mode); }

#define OPENING(name)                                                              \
    int name(const char *path, int flags, ...) {                                   \
        va_list more;                                                              \
        va_start(more, flags);                                                     \
        mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;                  \
        va_end(more);                                                              \
        if ((flags & O_CREAT) && below_path(path) && access(path, F_OK) && strikes()) return fails(); \
        return REAL(name)(path, flags, mode);                                      \
    }
OPENING(open)
OPENING(open64)
