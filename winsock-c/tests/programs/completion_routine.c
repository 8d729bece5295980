/*
 * Completion routines: an accept thread hands sockets over through an event; WorkerRoutine runs in
 * the worker's alertable waits and posts what comes next.
 */
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>

#define DATA_BUFSIZE 4096
#define CLIENTS 3

typedef struct _SOCKET_INFORMATION {
   OVERLAPPED Overlapped;
   SOCKET Socket;
   CHAR Buffer[DATA_BUFSIZE];
   WSABUF DataBuf;
   DWORD BytesSEND;
   DWORD BytesRECV;
} SOCKET_INFORMATION, * LPSOCKET_INFORMATION;

SOCKET AcceptSocket;
WSAEVENT TakenEvent;
int ClosedSockets, ReceivedBytes;

void CALLBACK WorkerRoutine(DWORD Error, DWORD BytesTransferred,
   LPWSAOVERLAPPED Overlapped, DWORD InFlags)
{
   DWORD SendBytes, RecvBytes;
   DWORD Flags;

   // Reference the WSAOVERLAPPED structure as a SOCKET_INFORMATION structure
   LPSOCKET_INFORMATION SI = (LPSOCKET_INFORMATION) Overlapped;

   if (Error != 0)
      printf("I/O operation failed with error %d\n", Error);

   if (Error != 0 || BytesTransferred == 0)
   {
      closesocket(SI->Socket);
      GlobalFree(SI);
      ClosedSockets++;
      return;
   }

   if (SI->BytesRECV == 0)
   {
      SI->BytesRECV = BytesTransferred;
      SI->BytesSEND = 0;
      ReceivedBytes += BytesTransferred;
   }
   else
      SI->BytesSEND += BytesTransferred;

   ZeroMemory(&(SI->Overlapped), sizeof(WSAOVERLAPPED));
   if (SI->BytesRECV > SI->BytesSEND)
   {
      SI->DataBuf.buf = SI->Buffer + SI->BytesSEND;
      SI->DataBuf.len = SI->BytesRECV - SI->BytesSEND;
      if (WSASend(SI->Socket, &(SI->DataBuf), 1, &SendBytes, 0,
         &(SI->Overlapped), WorkerRoutine) == SOCKET_ERROR)
         if (WSAGetLastError() != WSA_IO_PENDING)
            printf("WSASend() failed with error %d\n", WSAGetLastError());
   }
   else
   {
      SI->BytesRECV = 0;
      Flags = 0;
      SI->DataBuf.len = DATA_BUFSIZE;
      SI->DataBuf.buf = SI->Buffer;
      if (WSARecv(SI->Socket, &(SI->DataBuf), 1, &RecvBytes, &Flags,
         &(SI->Overlapped), WorkerRoutine) == SOCKET_ERROR)
         if (WSAGetLastError() != WSA_IO_PENDING)
            printf("WSARecv() failed with error %d\n", WSAGetLastError());
   }
}

DWORD WINAPI WorkerThread(LPVOID lpParameter)
{
   DWORD Flags, RecvBytes, Index;
   LPSOCKET_INFORMATION SocketInfo;
   WSAEVENT EventArray[1];

   EventArray[0] = (WSAEVENT) lpParameter;
   while (ClosedSockets < CLIENTS)
   {
      // Wait for accept() to signal an event and also process WorkerRoutine() returns.
      Index = WSAWaitForMultipleEvents(1, EventArray, FALSE, WSA_INFINITE, TRUE);
      if (Index == WSA_WAIT_FAILED)
      {
         printf("WSAWaitForMultipleEvents failed with error %d\n", WSAGetLastError());
         return 1;
      }
      if (Index == WAIT_IO_COMPLETION)
         continue; // An overlapped request completion routine just completed.

      WSAResetEvent(EventArray[Index - WSA_WAIT_EVENT_0]);
      if ((SocketInfo = (LPSOCKET_INFORMATION) GlobalAlloc(GPTR,
         sizeof(SOCKET_INFORMATION))) == NULL)
      {
         printf("GlobalAlloc() failed with error %d\n", GetLastError());
         return 1;
      }
      SocketInfo->Socket = AcceptSocket;
      SocketInfo->DataBuf.len = DATA_BUFSIZE;
      SocketInfo->DataBuf.buf = SocketInfo->Buffer;
      WSASetEvent(TakenEvent);
      Flags = 0;
      if (WSARecv(SocketInfo->Socket, &(SocketInfo->DataBuf), 1, &RecvBytes, &Flags,
         &(SocketInfo->Overlapped), WorkerRoutine) == SOCKET_ERROR)
         if (WSAGetLastError() != WSA_IO_PENDING)
         {
            printf("WSARecv() failed with error %d\n", WSAGetLastError());
            return 1;
         }
   }
   return 0;
}

VOID CALLBACK Greeting(ULONG_PTR dwParam)
{
   printf("a call for this thread: %u\n", (unsigned) dwParam);
}

int main(void)
{
   WSADATA wsaData;
   SOCKET ListenSocket, Clients[CLIENTS];
   SOCKADDR_IN InternetAddr;
   INT Len = sizeof(InternetAddr), i, n;
   DWORD ThreadId;
   WSAEVENT AcceptEvent;
   HANDLE Worker;
   char Text[100];

   if (WSAStartup((2 << 8) | 2, &wsaData) != 0)
      return 1;
   ListenSocket = WSASocket(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
   InternetAddr.sin_family = AF_INET;
   InternetAddr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
   InternetAddr.sin_port = 0;
   bind(ListenSocket, (PSOCKADDR) &InternetAddr, sizeof(InternetAddr));
   listen(ListenSocket, 5);
   getsockname(ListenSocket, (PSOCKADDR) &InternetAddr, &Len);

   AcceptEvent = WSACreateEvent();
   TakenEvent = WSACreateEvent();
   Worker = CreateThread(NULL, 0, WorkerThread, (LPVOID) AcceptEvent, 0, &ThreadId);
   for (i = 0; i < CLIENTS; i++)
   {
      Clients[i] = socket(AF_INET, SOCK_STREAM, 0);
      connect(Clients[i], (PSOCKADDR) &InternetAddr, sizeof(InternetAddr));
      AcceptSocket = accept(ListenSocket, NULL, NULL);
      WSASetEvent(AcceptEvent);
      WSAWaitForMultipleEvents(1, &TakenEvent, TRUE, WSA_INFINITE, FALSE);
      WSAResetEvent(TakenEvent);
   }
   for (i = 0; i < CLIENTS; i++)
   {
      n = sprintf(Text, "routine %d says hello", i);
      send(Clients[i], Text, n, 0);
      n = recv(Clients[i], Text, sizeof(Text), 0);
      printf("client %d: %.*s\n", i, n, Text);
   }
   for (i = 0; i < CLIENTS; i++)
      closesocket(Clients[i]);
   printf("worker ended: %u\n", WaitForSingleObject(Worker, 20000));
   printf("%d sockets closed, %d bytes\n", ClosedSockets, ReceivedBytes);

   QueueUserAPC(Greeting, GetCurrentThread(), 1);
   QueueUserAPC(Greeting, GetCurrentThread(), 2);
   Sleep(0);
   printf("not alertable: nothing yet\n");
   printf("SleepEx: 0x%X\n", SleepEx(10000, TRUE));
   printf("SleepEx: 0x%X\n", SleepEx(1, TRUE));
   closesocket(ListenSocket);
   WSACleanup();
   return 0;
}
