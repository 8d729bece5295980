/* wincon.h - the console; see consoleapi.h. */
#include <consoleapi.h>
