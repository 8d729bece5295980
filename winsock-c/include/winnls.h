/* winnls.h - code pages; see stringapiset.h. */
#include <stringapiset.h>
