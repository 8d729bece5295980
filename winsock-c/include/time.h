/*
 * time.h - glibc's, with Microsoft's names beyond the standard; see winsock/crt.h.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/time-management
 */
#pragma GCC system_header
#include_next <time.h>
/* Parts of glibc take no more of it than a type, and come back for the rest. */
#if !defined(WINSOCK_TIME_H) && defined(_TIME_H)
#define WINSOCK_TIME_H

#include <winsock/crt.h>

typedef long long __time64_t;

WINSOCK_BEGIN
extern struct tm *winsock_unix_localtime_(const time_t *time, struct tm *to) __asm__("localtime_r");
extern struct tm *winsock_unix_gmtime_(const time_t *time, struct tm *to) __asm__("gmtime_r");
extern char *winsock_unix_asctime_(const struct tm *time, char *to) __asm__("asctime_r");
WINSOCK_END

/* The result comes first, other than in C11. */
WINSOCK_INLINE errno_t localtime_s(struct tm *to, const time_t *time) {
    if (!to) return EINVAL;
    return time && *time >= 0 && winsock_unix_localtime_(time, to) ? 0 : EINVAL;
}
WINSOCK_INLINE errno_t gmtime_s(struct tm *to, const time_t *time) {
    if (!to) return EINVAL;
    return time && *time >= 0 && winsock_unix_gmtime_(time, to) ? 0 : EINVAL;
}
WINSOCK_INLINE errno_t asctime_s(char *to, size_t room, const struct tm *time) {
    if (!to || room < 26 || !time) return EINVAL;
    return winsock_unix_asctime_(time, to) ? 0 : EINVAL;
}
WINSOCK_INLINE errno_t ctime_s(char *to, size_t room, const time_t *time) {
    struct tm parts;
    errno_t error = localtime_s(&parts, time);
    return error ? error : asctime_s(to, room, &parts);
}
#ifdef __cplusplus
extern "C++" {
template <size_t Room_>
inline errno_t asctime_s(char (&to)[Room_], const struct tm *time) {
    return asctime_s(to, Room_, time);
}
template <size_t Room_>
inline errno_t ctime_s(char (&to)[Room_], const time_t *time) {
    return ctime_s(to, Room_, time);
}
}
#endif

WINSOCK_INLINE __time64_t _time64(__time64_t *to) {
    __time64_t now = time(NULL);
    if (to) *to = now;
    return now;
}
WINSOCK_INLINE errno_t _localtime64_s(struct tm *to, const __time64_t *time) {
    time_t seconds = time ? (time_t)*time : -1;
    return localtime_s(to, &seconds);
}
WINSOCK_INLINE errno_t _gmtime64_s(struct tm *to, const __time64_t *time) {
    time_t seconds = time ? (time_t)*time : -1;
    return gmtime_s(to, &seconds);
}

#endif
