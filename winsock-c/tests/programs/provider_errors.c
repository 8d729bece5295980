/*
 * Seeds itself as network libraries do that name every code: asks for a container of keys that is
 * not there, then for random bytes alone. Looks up loopback's adapter with an IPAddr.
 */
#include <winsock2.h>
#include <windows.h>
#include <wincrypt.h>
#include <iphlpapi.h>
#include <ipexport.h>
#include <stdio.h>
#include <string.h>

#pragma comment(lib, "iphlpapi.lib")
#pragma comment(lib, "advapi32.lib")

int main(void) {
    BYTE first[16] = {0}, second[16] = {0};
    HCRYPTPROV provider = 0;
    IPAddr loopback = htonl(INADDR_LOOPBACK);
    IP_STATUS status;
    DWORD adapter = 0;

    if (!CryptAcquireContextA(&provider, "no such container", NULL, PROV_RSA_FULL, 0))
        printf("a container: %s\n",
               GetLastError() == (DWORD)NTE_BAD_KEYSET ? "NTE_BAD_KEYSET" : "another error");
    if (!CryptAcquireContextA(&provider, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT)) {
        printf("no provider: %lu\n", (unsigned long)GetLastError());
        return 1;
    }
    printf("random bytes: %d %d\n", CryptGenRandom(provider, sizeof first, first),
           CryptGenRandom(provider, sizeof second, second));
    printf("they differ: %d\n", memcmp(first, second, sizeof first) != 0);
    if (!CryptReleaseContext(provider, 1))
        printf("flags: %s\n",
               GetLastError() == (DWORD)NTE_BAD_FLAGS ? "NTE_BAD_FLAGS" : "another error");

    status = GetBestInterface(loopback, &adapter);
    printf("loopback: %s, an adapter: %d\n", status == IP_SUCCESS ? "IP_SUCCESS" : "an error",
           adapter != 0);
    return 0;
}
