// A file server with TransmitFile: head and tail buffers, an overlapped offset, and the whole file.
#include <WinSock2.h>
#include <MSWSock.h>
#include <Windows.h>
#include <iostream>
#include <string>

using namespace std;

static string ReadAll(SOCKET s, size_t wanted)
{
    string all;
    char chunk[2048];
    while (all.size() < wanted)
    {
        int n = recv(s, chunk, sizeof(chunk), 0);
        if (n <= 0)
            break;
        all.append(chunk, n);
    }
    return all;
}

int main()
{
    WSADATA wsaData;
    if (WSAStartup(MAKEWORD(2, 2), &wsaData))
        return 1;

    char folder[MAX_PATH], path[MAX_PATH];
    GetTempPathA(MAX_PATH, folder);
    if (GetTempFileNameA(folder, "tf", 0, path) == 0)
    {
        cout << "GetTempFileName failed: " << GetLastError() << endl;
        return 1;
    }
    HANDLE hFile = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL,
                               CREATE_ALWAYS,
                               FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_SEQUENTIAL_SCAN, NULL);
    string text;
    for (int i = 0; i < 5000; i++)
        text += "line " + to_string(i) + "\r\n";
    DWORD written = 0;
    WriteFile(hFile, text.data(), (DWORD)text.size(), &written, NULL);
    cout << "wrote " << written << ", file has " << GetFileSize(hFile, NULL) << endl;

    SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    sockaddr_in addr = {};
    int len = sizeof(addr);
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (sockaddr *)&addr, sizeof(addr));
    listen(listener, 1);
    getsockname(listener, (sockaddr *)&addr, &len);
    SOCKET client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    connect(client, (sockaddr *)&addr, sizeof(addr));
    SOCKET server = accept(listener, NULL, NULL);

    // Head, file, tail: one call.
    char head[] = "HEAD|", tail[] = "|TAIL";
    TRANSMIT_FILE_BUFFERS buffers = { head, 5, tail, 5 };
    SetFilePointer(hFile, 0, NULL, FILE_BEGIN);
    BOOL ok = TransmitFile(server, hFile, 100, 0, NULL, &buffers, 0);
    string got = ReadAll(client, 110);
    cout << "with buffers: " << ok << ", " << got.size() << " bytes, "
         << (got == "HEAD|" + text.substr(0, 100) + "|TAIL" ? "right" : "wrong") << endl;

    // The offset comes from the OVERLAPPED.
    OVERLAPPED ov = {};
    ov.Offset = 1000;
    ov.hEvent = CreateEvent(NULL, TRUE, FALSE, NULL);
    DWORD flags = 0, sent = 0;
    if (!TransmitFile(server, hFile, 500, 0, &ov, NULL, 0) && WSAGetLastError() != WSA_IO_PENDING)
        cout << "TransmitFile failed: " << WSAGetLastError() << endl;
    got = ReadAll(client, 500);
    WaitForSingleObject(ov.hEvent, 20000);
    ok = WSAGetOverlappedResult(server, &ov, &sent, FALSE, &flags);
    cout << "from 1000: " << ok << ", " << sent << " sent, "
         << (got == text.substr(1000, 500) ? "right" : "wrong") << endl;

    // No file: only the buffers.
    ok = TransmitFile(server, NULL, 0, 0, NULL, &buffers, 0);
    cout << "without file: " << ok << ", " << ReadAll(client, 10) << endl;

    // 0 bytes are all the rest.
    ZeroMemory(&ov, sizeof(ov));
    SetFilePointer(hFile, 0, NULL, FILE_BEGIN);
    ok = TransmitFile(server, hFile, 0, 0, NULL, NULL, TF_DISCONNECT);
    got = ReadAll(client, text.size());
    cout << "all: " << ok << ", " << got.size() << " bytes, " << (got == text ? "right" : "wrong")
         << endl;

    ok = TransmitFile(INVALID_SOCKET, hFile, 0, 0, NULL, NULL, 0);
    cout << "no socket: " << ok << ", " << WSAGetLastError() << endl;

    closesocket(server);
    closesocket(client);
    closesocket(listener);
    CloseHandle(ov.hEvent);
    CloseHandle(hFile);
    cout << "deleted: " << DeleteFileA(path) << endl;
    WSACleanup();
    return 0;
}
