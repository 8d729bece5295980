/*
 * Groups of clients, for the models in which one thread can wait for 64 things and no more. The
 * main thread accepts, and deals each client to a group that has a seat free; if there is none it
 * makes one more. A group is a thread, which waits for its clients and for its wake.
 *
 * A server that includes this says how a group's thread is woken and what it does:
 */
#ifndef GROUPS_H
#define GROUPS_H

#include "echo.h"

/* One of the 64 is the group's wake. */
#define SEATS 63

typedef struct CLIENT_GROUP {
    struct CLIENT_GROUP *next;
    HANDLE thread;
    WSAEVENT wake;    /* What wakes the thread: an event, */
    SOCKET bell;      /* or a socket where there can be no event. */
    HANDLE lock;
    /* Under the lock: */
    int taken;        /* Seats of clients that have arrived or are served. */
    int arrived;
    SOCKET arrivals[SEATS];
} CLIENT_GROUP;

static BOOL make_wake(CLIENT_GROUP *group);
static void wake_up(CLIENT_GROUP *group);
static void unmake_wake(CLIENT_GROUP *group);
static DWORD WINAPI serve(void *group);

static SOCKET listener;
static volatile LONG stopping;

/* Moves those that have arrived into `sockets`, which has room for SEATS, and counts them. */
static int take_arrivals(CLIENT_GROUP *group, SOCKET *sockets)
{
    int count;

    WaitForSingleObject(group->lock, INFINITE);
    count = group->arrived;
    memcpy(sockets, group->arrivals, count * sizeof(SOCKET));
    group->arrived = 0;
    ReleaseMutex(group->lock);
    return count;
}

/* To be called when a client has left and no longer counts among the 64. */
static void free_seat(CLIENT_GROUP *group)
{
    WaitForSingleObject(group->lock, INFINITE);
    group->taken--;
    ReleaseMutex(group->lock);
}

/* NULL if there is not enough of something. */
static CLIENT_GROUP *make_group(CLIENT_GROUP *next)
{
    CLIENT_GROUP *group = allocate(sizeof(*group));

    group->next = next;
    group->lock = make_lock();
    if (make_wake(group)) {
        group->thread = CreateThread(NULL, 0, serve, group, 0, NULL);
        if (group->thread != NULL) {
            return group;
        }
        unmake_wake(group);
    }
    CloseHandle(group->lock);
    free(group);
    return NULL;
}

static BOOL seat(CLIENT_GROUP *group, SOCKET socket)
{
    BOOL seated;

    WaitForSingleObject(group->lock, INFINITE);
    seated = group->taken < SEATS;
    if (seated) {
        group->taken++;
        group->arrivals[group->arrived++] = socket;
    }
    ReleaseMutex(group->lock);
    if (seated) {
        wake_up(group);
    }
    return seated;
}

/* Accepts and deals until stop() closes the listener. */
static void serve_in_groups(void)
{
    CLIENT_GROUP *groups = NULL, *group;

    stop_at_ctrl_c();
    for (;;) {
        SOCKET socket = accept(listener, NULL, NULL);

        if (stopping) {
            if (socket != INVALID_SOCKET) {
                closesocket(socket);
            }
            break;
        }
        if (socket == INVALID_SOCKET) {
            fprintf(stderr, "accept failed with error %d\n", WSAGetLastError());
            Sleep(RETRY_MS); /* Perhaps there is room then. */
            continue;
        }
        for (group = groups; group != NULL && !seat(group, socket); group = group->next) {
        }
        if (group == NULL) {
            group = make_group(groups);
            if (group == NULL) {
                fprintf(stderr, "no room for one more client\n");
                closesocket(socket);
                continue;
            }
            groups = group;
            seat(groups, socket);
        }
    }

    for (group = groups; group != NULL; group = group->next) {
        wake_up(group);
    }
    while ((group = groups) != NULL) {
        WaitForSingleObject(group->thread, INFINITE);
        CloseHandle(group->thread);
        unmake_wake(group);
        CloseHandle(group->lock);
        groups = group->next;
        free(group);
    }
    WSACleanup();
}

static void stop(void)
{
    InterlockedExchange(&stopping, TRUE);
    closesocket(listener); /* That ends accept(). */
}

#endif
