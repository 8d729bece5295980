/* mmsystem.h - winmm, as far as it is a clock; see timeapi.h. */
#include <timeapi.h>
