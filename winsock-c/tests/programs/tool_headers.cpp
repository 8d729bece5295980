// What a project of Visual Studio includes besides: SDKDDKVer.h, crtdbg.h, intrin.h, Psapi.h.
// Compile with -lpsapi
#define _CRTDBG_MAP_ALLOC
#define _CRT_SECURE_NO_WARNINGS
#include <SDKDDKVer.h>
#include <WinSock2.h>
#include <Windows.h>
#include <crtdbg.h>
#include <intrin.h>
#include <Psapi.h>
#include <share.h>
#include <stdio.h>
#include <string.h>

#pragma comment(lib, "ws2_32.lib")
#pragma comment(lib, "psapi.lib")

static volatile LONG g_lSpin = 0;

static void Lock()
{
    while (_InterlockedCompareExchange(&g_lSpin, 1, 0) != 0)
        _mm_pause();
    _ReadWriteBarrier();
}

static void Unlock()
{
    _ReadWriteBarrier();
    _InterlockedExchange(&g_lSpin, 0);
}

static DWORD WINAPI Count(LPVOID lpParam)
{
    for (int i = 0; i < 10000; i++) {
        Lock();
        ++*(int *)lpParam;
        Unlock();
    }
    return 0;
}

static size_t WorkingSet()
{
    PROCESS_MEMORY_COUNTERS pmc;
    pmc.cb = sizeof(pmc);
    if (!GetProcessMemoryInfo(GetCurrentProcess(), &pmc, sizeof(pmc)))
        printf("GetProcessMemoryInfo failed: %d\n", (int)GetLastError());
    return pmc.WorkingSetSize;
}

int main()
{
    _CrtSetDbgFlag(_CRTDBG_ALLOC_MEM_DF | _CRTDBG_LEAK_CHECK_DF);
    _CrtSetReportMode(_CRT_ERROR, _CRTDBG_MODE_FILE);
    _CrtSetReportFile(_CRT_ERROR, _CRTDBG_FILE_STDERR);
    _ASSERT(g_lSpin == 1);
    _ASSERTE(sizeof(int) == 8);

    int nCount = 0;
    HANDLE hThreads[2];
    for (int i = 0; i < 2; i++)
        hThreads[i] = CreateThread(NULL, 0, Count, &nCount, 0, NULL);
    WaitForMultipleObjects(2, hThreads, TRUE, INFINITE);
    printf("counted to %d under a spin lock\n", nCount);

    DWORD dwIndex = 77;
    unsigned long ulIndex = 77;
    unsigned char bFound = _BitScanForward(&dwIndex, 0x50);
    printf("%d %d\n", bFound, (int)dwIndex);
    bFound = _BitScanReverse(&ulIndex, 0x50);
    printf("%d %d\n", bFound, (int)ulIndex);
    bFound = _BitScanForward64(&dwIndex, 0x5000000000ull);
    printf("%d %d\n", bFound, (int)dwIndex);
    if (_BitScanReverse64(&ulIndex, 0x5000000000ull))
        printf("%d\n", (int)ulIndex);
    printf("%d\n", _BitScanForward(&dwIndex, 0));

    int nInfo[4];
    char szVendor[13] = "";
    __cpuid(nInfo, 0);
    memcpy(szVendor, &nInfo[1], 4);
    memcpy(szVendor + 4, &nInfo[3], 4);
    memcpy(szVendor + 8, &nInfo[2], 4);
    printf("a vendor of %d letters\n", (int)strlen(szVendor));
    unsigned long long ullStart = __rdtsc();
    Sleep(1);
    printf("the counter runs: %d\n", __rdtsc() > ullStart);
    printf("%d %d\n", (int)__popcnt(0xF0F0), (int)_byteswap_ulong(0x01000000));

    size_t cbBefore = WorkingSet();
    const size_t cbMore = 64 * 1024 * 1024;
    char *pMore = (char *)VirtualAlloc(NULL, cbMore, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    for (size_t i = 0; i < cbMore; i += 4096)
        pMore[i] = 1;
    size_t cbAfter = WorkingSet();
    printf("64 MB more: %d\n", cbAfter >= cbBefore + cbMore * 9 / 10);
    VirtualFree(pMore, 0, MEM_RELEASE);
    PROCESS_MEMORY_COUNTERS_EX pmcEx;
    BOOL bOk = GetProcessMemoryInfo(GetCurrentProcess(), (PROCESS_MEMORY_COUNTERS *)&pmcEx, sizeof(pmcEx));
    printf("%d %d\n", bOk, pmcEx.PeakWorkingSetSize >= cbMore);
    bOk = GetProcessMemoryInfo(GetCurrentProcess(), (PROCESS_MEMORY_COUNTERS *)&pmcEx, 8);
    printf("too small: %d %d\n", bOk, (int)GetLastError());

    _CrtDumpMemoryLeaks();
    return 0;
}
