/*
 * pipe.c - a pipe with a name, through our headers and through mingw's.
 *
 * `cargo xtask headers` compares what it prints.
 */
#include <windows.h>
#include <stdio.h>

static const char name[] = "\\\\.\\pipe\\winsock-test-pipe";

static HANDLE server(DWORD mode, DWORD most) {
    return CreateNamedPipeA(name, mode, PIPE_TYPE_BYTE | PIPE_WAIT, most, 4096, 4096, 0, NULL);
}

static HANDLE client(DWORD access, DWORD flags) {
    return CreateFileA(name, access, 0, NULL, OPEN_EXISTING, flags, NULL);
}

static void tell(const char *what, HANDLE pipe) {
    int error = (int)GetLastError();
    if (pipe != INVALID_HANDLE_VALUE)
        printf("%s: opened\n", what);
    else
        printf("%s: %d\n", what, error);
}

static void take(const char *what, HANDLE port) {
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    LPOVERLAPPED overlapped = NULL;
    BOOL succeeded = GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 10000);
    int error = succeeded ? 0 : (int)GetLastError();
    printf("%s: %d, %d bytes, key %d, error %d\n", what, succeeded, (int)bytes, (int)key, error);
}

static void overlapped(void) {
    char text[16];
    DWORD bytes = 0;
    OVERLAPPED operation;
    ZeroMemory(&operation, sizeof operation);
    HANDLE reader = server(PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED, 1);
    tell("the server's end", reader);
    tell("to read", client(GENERIC_READ, 0));
    HANDLE writer = client(GENERIC_WRITE, FILE_FLAG_OVERLAPPED);
    tell("to write", writer);
    tell("again", client(GENERIC_WRITE, 0));
    printf("type: %d\n", (int)GetFileType(reader));

    HANDLE port = CreateIoCompletionPort(reader, NULL, 7, 0);
    BOOL done = ReadFile(reader, text, sizeof text, NULL, &operation);
    printf("read: %d, %d\n", done, (int)GetLastError());
    done = WriteFile(writer, "three", 5, &bytes, NULL);
    printf("write: %d, %d bytes\n", done, (int)bytes);
    take("read", port);
    printf("%.5s\n", text);

    done = ReadFile(reader, text, sizeof text, NULL, &operation);
    printf("cancel: %d\n", CancelIoEx(reader, &operation));
    take("cancelled", port);

    done = ReadFile(reader, text, sizeof text, NULL, &operation);
    CloseHandle(writer);
    take("broken", port);
    done = ReadFile(reader, text, sizeof text, NULL, &operation);
    printf("read: %d, %d\n", done, (int)GetLastError());
    CloseHandle(reader);
    CloseHandle(port);
    tell("no server", client(GENERIC_WRITE, 0));
}

static void both_ways(void) {
    char text[16];
    DWORD bytes = 0;
    HANDLE one = server(PIPE_ACCESS_DUPLEX, 2), two = server(PIPE_ACCESS_DUPLEX, 2);
    tell("a third", server(PIPE_ACCESS_DUPLEX, 2));
    HANDLE first = client(GENERIC_READ | GENERIC_WRITE, 0);
    HANDLE second = client(GENERIC_READ | GENERIC_WRITE, 0);
    BOOL done = WriteFile(first, "to the server", 13, &bytes, NULL);
    printf("write: %d, %d bytes\n", done, (int)bytes);
    done = ReadFile(one, text, 6, &bytes, NULL);
    printf("read: %d, %.*s\n", done, (int)bytes, text);
    done = ReadFile(one, text, sizeof text, &bytes, NULL);
    printf("read: %d, %.*s\n", done, (int)bytes, text);
    WriteFile(two, "to the client", 13, &bytes, NULL);
    CloseHandle(two);
    done = ReadFile(second, text, sizeof text, &bytes, NULL);
    printf("read: %d, %.*s\n", done, (int)bytes, text);
    done = ReadFile(second, text, sizeof text, &bytes, NULL);
    printf("read: %d, %d\n", done, (int)GetLastError());
    CloseHandle(second);
    CloseHandle(first);
    done = WriteFile(one, "x", 1, &bytes, NULL);
    printf("write: %d, %d\n", done, (int)GetLastError());
    CloseHandle(one);
}

int main(void) {
    tell("a bad name", CreateNamedPipeA("pipe", PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL));
    tell("no direction", server(0, 1));
    overlapped();
    both_ways();
    return 0;
}
