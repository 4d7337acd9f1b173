/* Which walls each role gets. Called by every role once it has opened what it needs. */
#ifndef COMITY_DAEMON_SANDBOX_H
#define COMITY_DAEMON_SANDBOX_H

#include "base/err.h"
#include "process/sandbox.h"

/* role: a name of roles.tbl.h. A kernel without these walls is told on standard error and, with
 * COMITY_SANDBOX_REQUIRED in the environment (the setting sandbox = required), is an error. */
bool sandbox_role(const char *role, struct err *e) MUST_USE;
/* Where the folders are not there that the role may see in a node (the door of a witness alone). */
bool sandbox_role_without_paths(const char *role, struct err *e) MUST_USE;

#endif
