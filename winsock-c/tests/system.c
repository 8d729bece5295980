/*
 * system.c - versions, random bytes, serial ports, handles: through our headers and through mingw's.
 *
 * `cargo xtask headers` compares what it prints.
 */
#define _WIN32_WINNT 0x0A00
#include <windows.h>
#include <bcrypt.h>
#include <wincrypt.h>
#include <stdio.h>

static void verify(DWORD major, DWORD minor, DWORD types, ULONGLONG conditions) {
    OSVERSIONINFOEX asked;
    ZeroMemory(&asked, sizeof asked);
    asked.dwOSVersionInfoSize = sizeof asked;
    asked.dwMajorVersion = major;
    asked.dwMinorVersion = minor;
    asked.dwPlatformId = VER_PLATFORM_WIN32_NT;
    SetLastError(0);
    BOOL fulfilled = VerifyVersionInfo(&asked, types, conditions);
    printf("%d.%d: %d, %d\n", (int)major, (int)minor, fulfilled, (int)GetLastError());
}

static void versions(void) {
    ULONGLONG from = VerSetConditionMask(0, VER_MAJORVERSION, VER_GREATER_EQUAL);
    ULONGLONG both = VerSetConditionMask(from, VER_MINORVERSION, VER_GREATER_EQUAL);
    ULONGLONG many = VerSetConditionMask(0, VER_MAJORVERSION | VER_SUITENAME, VER_AND);
    printf("conditions: %llx %llx %llx\n", from, both, many);
    printf("no member: %llx\n", VerSetConditionMask(0, 0x100, VER_EQUAL));
    verify(6, 0, VER_MAJORVERSION, from);
    verify(60, 0, VER_MAJORVERSION, from);
    verify(5, 9, VER_MAJORVERSION | VER_MINORVERSION, both);
    verify(60, 0, VER_MAJORVERSION | VER_MINORVERSION, both);
    verify(60, 0, VER_PLATFORMID, VerSetConditionMask(0, VER_PLATFORMID, VER_EQUAL));
    verify(6, 0, 0, from);
    verify(6, 0, VER_MAJORVERSION, 0);

    OSVERSIONINFO version;
    version.dwOSVersionInfoSize = sizeof version;
    printf("GetVersionEx: %d", GetVersionEx(&version));
    printf(", platform %d\n", (int)version.dwPlatformId);
    version.dwOSVersionInfoSize = 7;
    printf("GetVersionEx: %d", GetVersionEx(&version));
    printf(", %d\n", (int)GetLastError());
}

static void error_mode(void) {
    SetErrorMode(SEM_FAILCRITICALERRORS);
    printf("SetErrorMode: %x", SetErrorMode(SEM_NOOPENFILEERRORBOX | SEM_FAILCRITICALERRORS));
    printf(", now %x\n", GetErrorMode());
}

static void random_bytes(void) {
    UCHAR one[16] = {0}, two[16] = {0};
    printf("BCryptGenRandom: %lx", (long)BCryptGenRandom(NULL, one, sizeof one,
                                                         BCRYPT_USE_SYSTEM_PREFERRED_RNG));
    BCryptGenRandom(NULL, two, sizeof two, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    printf(", alike: %d\n", memcmp(one, two, sizeof one) == 0);
    printf("without the flag: %x\n", (unsigned)BCryptGenRandom(NULL, one, sizeof one, 0));
    printf("NULL: %x\n", (unsigned)BCryptGenRandom(NULL, NULL, 16,
                                                   BCRYPT_USE_SYSTEM_PREFERRED_RNG));
}

static void serial_ports(void) {
    DCB settings;
    ZeroMemory(&settings, sizeof settings);
    settings.DCBlength = sizeof settings;
    HANDLE event = CreateEvent(NULL, FALSE, FALSE, NULL);
    CloseHandle(event);
    printf("GetCommState: %d", GetCommState(event, &settings));
    printf(", %d\n", (int)GetLastError());
}

static void handles(void) {
    DWORD flags = 7;
    HANDLE event = CreateEvent(NULL, FALSE, FALSE, NULL);
    BOOL done = GetHandleInformation(event, &flags);
    printf("GetHandleInformation: %d, %d\n", done, (int)flags);
    printf("cleared: %d\n", SetHandleInformation(event, HANDLE_FLAG_INHERIT, 0));
    CloseHandle(event);
    done = GetHandleInformation(event, &flags);
    printf("closed: %d, %d\n", done, (int)GetLastError());
    done = SetHandleInformation(event, HANDLE_FLAG_INHERIT, 0);
    printf("closed: %d, %d\n", done, (int)GetLastError());
}

static void providers(void) {
    HCRYPTPROV provider = 0;
    BYTE one[16] = {0}, two[16] = {0};
    printf("acquired: %d\n",
           CryptAcquireContext(&provider, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT));
    printf("random: %d", CryptGenRandom(provider, sizeof one, one));
    printf(" %d", CryptGenRandom(provider, sizeof two, two));
    printf(", alike: %d\n", memcmp(one, two, sizeof one) == 0);
    printf("released: %d\n", CryptReleaseContext(provider, 0));
    BOOL done = CryptAcquireContext(NULL, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT);
    printf("NULL: %d, %x\n", done, (unsigned)GetLastError());
    done = CryptAcquireContext(&provider, NULL, NULL, 0, CRYPT_VERIFYCONTEXT);
    printf("no type: %d, %x\n", done, (unsigned)GetLastError());
    done = CryptGenRandom(0, sizeof one, one);
    printf("no provider: %d, %x\n", done, (unsigned)GetLastError());
    done = CryptReleaseContext(0, 0);
    printf("no provider: %d, %x\n", done, (unsigned)GetLastError());
}

static ULONGLONG steps(FILETIME time) {
    return (ULONGLONG)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

static void processors(void) {
    FILETIME created, ended, kernel, user, now, idle;
    BOOL done = GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user);
    GetSystemTimeAsFileTime(&now);
    printf("process: %d, before now: %d, today: %d\n", done, steps(created) <= steps(now),
           steps(now) - steps(created) < 864000000000ull);
    done = GetThreadTimes(GetCurrentThread(), &created, &ended, &kernel, &user);
    printf("thread: %d, before now: %d\n", done, steps(created) <= steps(now));
    done = GetSystemTimes(&idle, &kernel, &user);
    printf("system: %d, idle is the kernel's: %d\n", done, steps(idle) <= steps(kernel));
    printf("nothing asked: %d\n", GetSystemTimes(NULL, NULL, NULL));
    done = GetThreadTimes(NULL, &created, &ended, &kernel, &user);
    printf("no thread: %d, %d\n", done, (int)GetLastError());

    DWORD_PTR mine = 0, all = 0, first;
    printf("affinity: %d", GetProcessAffinityMask(GetCurrentProcess(), &mine, &all));
    printf(", some: %d, among all: %d\n", mine != 0, (mine & ~all) == 0);
    first = mine & (~mine + 1);
    printf("all before: %d\n", SetThreadAffinityMask(GetCurrentThread(), first) == mine);
    printf("one before: %d\n", SetThreadAffinityMask(GetCurrentThread(), mine) == first);
    printf("none: %d", (int)SetThreadAffinityMask(GetCurrentThread(), 0));
    printf(", %d\n", (int)GetLastError());
    printf("here: %d\n", (int)(all >> GetCurrentProcessorNumber() & 1));
}

int main(void) {
    providers();
    processors();
    versions();
    error_mode();
    random_bytes();
    serial_ports();
    handles();
    return 0;
}
