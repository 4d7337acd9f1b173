/* Functions that cannot say how much they write, or hide state. Included everywhere by the build. */
#ifndef COMITY_BASE_BANNED_H
#define COMITY_BASE_BANNED_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#undef alloca
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol gets alloca
#pragma GCC poison gmtime localtime ctime asctime
#endif
