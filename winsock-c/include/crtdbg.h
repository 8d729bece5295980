/*
 * crtdbg.h - the debugging heap and reports, as a release build of Microsoft's has them: nothing is
 * checked, nothing is reported, and the arguments are not looked at.
 *
 * https://learn.microsoft.com/en-us/cpp/c-runtime-library/debug-routines
 *
 * -fsanitize=address finds leaks and writes beyond a block here.
 */
#ifndef _INC_CRTDBG
#define _INC_CRTDBG

#include <winsock/crt.h>

#include <stdlib.h>

typedef void *_HFILE;
typedef int(__cdecl *_CRT_REPORT_HOOK)(int type, char *message, int *result);
typedef int(__cdecl *_CRT_REPORT_HOOKW)(int type, wchar_t *message, int *result);

#define _CRT_WARN 0
#define _CRT_ERROR 1
#define _CRT_ASSERT 2
#define _CRT_ERRCNT 3

#define _CRTDBG_MODE_FILE 0x1
#define _CRTDBG_MODE_DEBUG 0x2
#define _CRTDBG_MODE_WNDW 0x4
#define _CRTDBG_REPORT_MODE (-1)

#define _CRTDBG_INVALID_HFILE ((_HFILE)(intptr_t)-1)
#define _CRTDBG_HFILE_ERROR ((_HFILE)(intptr_t)-2)
#define _CRTDBG_FILE_STDOUT ((_HFILE)(intptr_t)-4)
#define _CRTDBG_FILE_STDERR ((_HFILE)(intptr_t)-5)
#define _CRTDBG_REPORT_FILE ((_HFILE)(intptr_t)-6)

#define _CRTDBG_ALLOC_MEM_DF 0x01
#define _CRTDBG_DELAY_FREE_MEM_DF 0x02
#define _CRTDBG_CHECK_ALWAYS_DF 0x04
#define _CRTDBG_RESERVED_DF 0x08
#define _CRTDBG_CHECK_CRT_DF 0x10
#define _CRTDBG_LEAK_CHECK_DF 0x20
#define _CRTDBG_CHECK_EVERY_16_DF 0x00100000
#define _CRTDBG_CHECK_EVERY_128_DF 0x00800000
#define _CRTDBG_CHECK_EVERY_1024_DF 0x04000000
#define _CRTDBG_CHECK_DEFAULT_DF 0
#define _CRTDBG_REPORT_FLAG (-1)

#define _FREE_BLOCK 0
#define _NORMAL_BLOCK 1
#define _CRT_BLOCK 2
#define _IGNORE_BLOCK 3
#define _CLIENT_BLOCK 4
#define _MAX_BLOCKS 5

typedef struct _CrtMemState {
    struct _CrtMemBlockHeader *pBlockHeader;
    size_t lCounts[_MAX_BLOCKS];
    size_t lSizes[_MAX_BLOCKS];
    size_t lHighCount;
    size_t lTotalCount;
} _CrtMemState;

#ifndef _ASSERT
#define _ASSERT(expression) ((void)0)
#endif
#ifndef _ASSERTE
#define _ASSERTE(expression) ((void)0)
#endif
#ifndef _ASSERT_EXPR
#define _ASSERT_EXPR(expression, message) ((void)0)
#endif

#define _RPT0(type, message) ((void)0)
#define _RPT1(type, format, a) ((void)0)
#define _RPT2(type, format, a, b) ((void)0)
#define _RPT3(type, format, a, b, c) ((void)0)
#define _RPT4(type, format, a, b, c, d) ((void)0)
#define _RPTW0(type, message) ((void)0)
#define _RPTW1(type, format, a) ((void)0)
#define _RPTW2(type, format, a, b) ((void)0)
#define _RPTF0(type, message) ((void)0)
#define _RPTF1(type, format, a) ((void)0)
#define _RPTF2(type, format, a, b) ((void)0)
#define _RPTF3(type, format, a, b, c) ((void)0)
#define _RPTF4(type, format, a, b, c, d) ((void)0)
#define _RPTFW0(type, message) ((void)0)
#define _RPTFW1(type, format, a) ((void)0)

#define _CrtSetReportHook(hook) ((_CRT_REPORT_HOOK)0)
#define _CrtSetReportHook2(mode, hook) ((int)0)
#define _CrtSetReportMode(type, mode) ((int)0)
#define _CrtSetReportFile(type, file) ((_HFILE)0)
#define _CrtDbgBreak() ((void)0)
#define _CrtSetBreakAlloc(number) ((long)0)
#define _CrtSetAllocHook(hook) ((void *)0)
#define _CrtSetDumpClient(dump) ((void *)0)
#define _CrtCheckMemory() ((int)1)
#define _CrtSetDbgFlag(flags) ((int)0)
#define _CrtDumpMemoryLeaks() ((int)0)
#define _CrtDoForAllClientObjects(function, context) ((void)0)
#define _CrtIsValidPointer(pointer, size, access) ((int)1)
#define _CrtIsValidHeapPointer(pointer) ((int)1)
#define _CrtIsMemoryBlock(pointer, size, number, file, line) ((int)1)
#define _CrtMemCheckpoint(state) ((void)0)
#define _CrtMemDifference(to, older, newer) ((int)0)
#define _CrtMemDumpAllObjectsSince(state) ((void)0)
#define _CrtMemDumpStatistics(state) ((void)0)

#define _malloc_dbg(size, type, file, line) malloc(size)
#define _calloc_dbg(count, size, type, file, line) calloc(count, size)
#define _realloc_dbg(memory, size, type, file, line) realloc(memory, size)
#define _free_dbg(memory, type) free(memory)

#endif
