/* Shows a wrong time of day to the programs that preload it: FAKE_CLOCK_OFFSET_S seconds off.

   Monotonic time, and with it every sleep, stays as it is: on a node whose clock is set wrong it
   does, too. (libfaketime 0.9.10 gets clock_nanosleep with an absolute monotonic time wrong, which
   is what Python's time.sleep is made of: it ends with EINVAL.) */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t off_s(void)
{
    const char *text = getenv("FAKE_CLOCK_OFFSET_S");
    return text ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += off_s();
    return failed;
}

int gettimeofday(struct timeval *now, void *zone)
{
    int failed = syscall(SYS_gettimeofday, now, zone);
    if (!failed && now)
        now->tv_sec += off_s();
    return failed;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
