/* winsock/unix_time.h - gettimeofday with Windows' struct timeval; see sys/time.h. */
#ifndef WINSOCK_UNIX_TIME_H
#define WINSOCK_UNIX_TIME_H

#ifndef __cplusplus
WINSOCK_INLINE int gettimeofday(struct timeval *time, void *zone) {
    struct winsock_unix_timeval now;
    int result = winsock_unix_gettimeofday(&now, zone);
    time->tv_sec = (int)now.tv_sec;
    time->tv_usec = (int)now.tv_usec;
    return result;
}
#endif

#endif
