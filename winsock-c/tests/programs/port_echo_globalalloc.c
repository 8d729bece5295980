/*
 * A completion-port echo in the manner of the network programming books: an accept loop, workers by
 * CreateThread with the port as (LPVOID), structures from GlobalAlloc(GPTR) and HeapAlloc.
 */
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>

#define DATA_BUFSIZE 8192
#define CLIENTS      5

typedef struct
{
   OVERLAPPED Overlapped;
   WSABUF DataBuf;
   CHAR Buffer[DATA_BUFSIZE];
   DWORD BytesSEND;
   DWORD BytesRECV;
} PER_IO_OPERATION_DATA, * LPPER_IO_OPERATION_DATA;

typedef struct
{
   SOCKET Socket;
} PER_HANDLE_DATA, * LPPER_HANDLE_DATA;

LONG TotalBytes = 0;
volatile long Closed = 0;

DWORD WINAPI ServerWorkerThread(LPVOID CompletionPortID)
{
   HANDLE CompletionPort = (HANDLE) CompletionPortID;
   DWORD BytesTransferred;
   LPPER_HANDLE_DATA PerHandleData;
   LPPER_IO_OPERATION_DATA PerIoData;
   DWORD SendBytes, RecvBytes;
   DWORD Flags;

   while(TRUE)
   {
      if (GetQueuedCompletionStatus(CompletionPort, &BytesTransferred,
         (PULONG_PTR) &PerHandleData, (LPOVERLAPPED *) &PerIoData, INFINITE) == 0)
      {
         printf("GetQueuedCompletionStatus failed with error %d\n", GetLastError());
         return 1;
      }
      if (PerIoData == NULL)
         return 0;

      // First check to see if the peer has closed the connection; if so, clean up.
      if (BytesTransferred == 0)
      {
         if (closesocket(PerHandleData->Socket) == SOCKET_ERROR)
         {
            printf("closesocket() failed with error %d\n", WSAGetLastError());
            return 1;
         }
         GlobalFree(PerHandleData);
         HeapFree(GetProcessHeap(), 0, PerIoData);
         InterlockedIncrement(&Closed);
         continue;
      }

      // BytesRECV zero means that a WSARecv has just completed.
      if (PerIoData->BytesRECV == 0)
      {
         PerIoData->BytesRECV = BytesTransferred;
         PerIoData->BytesSEND = 0;
         InterlockedExchangeAdd(&TotalBytes, (LONG) BytesTransferred);
      }
      else
      {
         PerIoData->BytesSEND += BytesTransferred;
      }

      if (PerIoData->BytesRECV > PerIoData->BytesSEND)
      {
         ZeroMemory(&(PerIoData->Overlapped), sizeof(OVERLAPPED));
         PerIoData->DataBuf.buf = PerIoData->Buffer + PerIoData->BytesSEND;
         PerIoData->DataBuf.len = PerIoData->BytesRECV - PerIoData->BytesSEND;
         if (WSASend(PerHandleData->Socket, &(PerIoData->DataBuf), 1, &SendBytes, 0,
            &(PerIoData->Overlapped), NULL) == SOCKET_ERROR)
         {
            if (WSAGetLastError() != ERROR_IO_PENDING)
            {
               printf("WSASend() failed with error %d\n", WSAGetLastError());
               return 1;
            }
         }
      }
      else
      {
         PerIoData->BytesRECV = 0;
         Flags = 0;
         ZeroMemory(&(PerIoData->Overlapped), sizeof(OVERLAPPED));
         PerIoData->DataBuf.len = DATA_BUFSIZE;
         PerIoData->DataBuf.buf = PerIoData->Buffer;
         if (WSARecv(PerHandleData->Socket, &(PerIoData->DataBuf), 1, &RecvBytes, &Flags,
            &(PerIoData->Overlapped), NULL) == SOCKET_ERROR)
         {
            if (WSAGetLastError() != ERROR_IO_PENDING)
            {
               printf("WSARecv() failed with error %d\n", WSAGetLastError());
               return 1;
            }
         }
      }
   }
}

DWORD WINAPI ClientThread(LPVOID Param)
{
   SOCKADDR_IN *Server = (SOCKADDR_IN *) Param;
   SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
   char out[3000], in[3000];
   int round, got, n, i;

   if (connect(s, (PSOCKADDR) Server, sizeof(*Server)) == SOCKET_ERROR)
      return 1;
   for (round = 0; round < 4; round++)
   {
      for (i = 0; i < (int) sizeof(out); i++)
         out[i] = (char) (i * 7 + round);
      if (send(s, out, sizeof(out), 0) != sizeof(out))
         return 2;
      for (got = 0; got < (int) sizeof(in); got += n)
         if ((n = recv(s, in + got, sizeof(in) - got, 0)) <= 0)
            return 3;
      if (memcmp(in, out, sizeof(in)) != 0)
         return 4;
   }
   closesocket(s);
   return 0;
}

int main(void)
{
   SOCKADDR_IN InternetAddr;
   SOCKET Listen, Accept;
   HANDLE CompletionPort, Workers[16], Clients[CLIENTS];
   SYSTEM_INFO SystemInfo;
   LPPER_HANDLE_DATA PerHandleData;
   LPPER_IO_OPERATION_DATA PerIoData;
   DWORD RecvBytes, Flags, ThreadID, WorkerCount, i, Code;
   WSADATA wsaData;
   INT Ret, Len;

   if ((Ret = WSAStartup(0x0202, &wsaData)) != 0)
   {
      printf("WSAStartup failed with error %d\n", Ret);
      return 1;
   }
   if ((CompletionPort = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0)) == NULL)
   {
      printf( "CreateIoCompletionPort failed with error: %d\n", GetLastError());
      return 1;
   }
   GetSystemInfo(&SystemInfo);
   WorkerCount = SystemInfo.dwNumberOfProcessors * 2;
   if (WorkerCount > 16)
      WorkerCount = 16;
   for (i = 0; i < WorkerCount; i++)
   {
      if ((Workers[i] = CreateThread(NULL, 0, ServerWorkerThread, CompletionPort,
         0, &ThreadID)) == NULL)
      {
         printf("CreateThread() failed with error %d\n", GetLastError());
         return 1;
      }
   }

   if ((Listen = WSASocket(AF_INET, SOCK_STREAM, 0, NULL, 0,
      WSA_FLAG_OVERLAPPED)) == INVALID_SOCKET)
   {
      printf("WSASocket() failed with error %d\n", WSAGetLastError());
      return 1;
   }
   InternetAddr.sin_family = AF_INET;
   InternetAddr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
   InternetAddr.sin_port = htons(0);
   Len = sizeof(InternetAddr);
   if (bind(Listen, (PSOCKADDR) &InternetAddr, sizeof(InternetAddr)) == SOCKET_ERROR ||
      listen(Listen, 5) == SOCKET_ERROR ||
      getsockname(Listen, (PSOCKADDR) &InternetAddr, &Len) == SOCKET_ERROR)
   {
      printf("bind() or listen() failed with error %d\n", WSAGetLastError());
      return 1;
   }
   for (i = 0; i < CLIENTS; i++)
      Clients[i] = CreateThread(NULL, 0, ClientThread, &InternetAddr, 0, &ThreadID);

   for (i = 0; i < CLIENTS; i++)
   {
      if ((Accept = WSAAccept(Listen, NULL, NULL, NULL, 0)) == INVALID_SOCKET)
      {
         printf("WSAAccept() failed with error %d\n", WSAGetLastError());
         return 1;
      }
      if ((PerHandleData = (LPPER_HANDLE_DATA) GlobalAlloc(GPTR,
         sizeof(PER_HANDLE_DATA))) == NULL)
         return 1;
      PerHandleData->Socket = Accept;
      if (CreateIoCompletionPort((HANDLE) Accept, CompletionPort, (ULONG_PTR) PerHandleData,
         0) == NULL)
      {
         printf("CreateIoCompletionPort failed with error %d\n", GetLastError());
         return 1;
      }
      if ((PerIoData = (LPPER_IO_OPERATION_DATA) HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY,
         sizeof(PER_IO_OPERATION_DATA))) == NULL)
         return 1;
      PerIoData->DataBuf.len = DATA_BUFSIZE;
      PerIoData->DataBuf.buf = PerIoData->Buffer;
      Flags = 0;
      if (WSARecv(Accept, &(PerIoData->DataBuf), 1, &RecvBytes, &Flags,
         &(PerIoData->Overlapped), NULL) == SOCKET_ERROR && WSAGetLastError() != ERROR_IO_PENDING)
      {
         printf("WSARecv() failed with error %d\n", WSAGetLastError());
         return 1;
      }
   }

   WaitForMultipleObjects(CLIENTS, Clients, TRUE, INFINITE);
   for (i = 0; i < CLIENTS; i++)
   {
      GetExitCodeThread(Clients[i], &Code);
      printf("client %d ended with %d\n", i, Code);
      CloseHandle(Clients[i]);
   }
   while (Closed < CLIENTS)
      Sleep(1);
   printf("%d bytes in all\n", TotalBytes);
   for (i = 0; i < WorkerCount; i++)
      PostQueuedCompletionStatus(CompletionPort, 0, 0, NULL);
   printf("workers ended: %d\n",
      WaitForMultipleObjects(WorkerCount, Workers, TRUE, 20000) == WAIT_OBJECT_0);
   closesocket(Listen);
   CloseHandle(CompletionPort);
   WSACleanup();
   return 0;
}
