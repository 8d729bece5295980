/* mswsockdef.h - constants of mswsock.h. */
#include <mswsock.h>
