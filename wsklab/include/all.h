/* all.h: every header of the kit, in one order; this is what the front end parses once and keeps. */
#include "ntdef.h"
