/* Between the two sources of the sandbox. */
#ifndef COMITY_PROCESS_SANDBOX_INTERNAL_H
#define COMITY_PROCESS_SANDBOX_INTERNAL_H

#include "base/err.h"

/* The seccomp wall; *ret_stands false when the kernel has none. */
bool sandbox_calls_apply(unsigned sets, bool *ret_stands, struct err *e) MUST_USE;

#endif
