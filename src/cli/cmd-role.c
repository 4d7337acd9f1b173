/* comity role NAME: what a running node starts for each of its roles. Not for people, but for the self-test. */
#include <malloc.h>

#include "base/limits.h"
#include "cli/commands.h"
#include "daemon/roles.h"

/* A batch of letters passes through every role in buffers of some hundred KiB: kept, not given back and
 * fetched again for each. What a role keeps so when it has become idle is bounded by the second number. */
#define BLOCK_OF_ITS_OWN (4 * (int)MIB)
#define FREE_KEPT (8 * (int)MIB)

int role_command(const struct args *a)
{
	char *argv[ARGS_POSITIONAL_MAX];
	int argc = 0;

	(void)mallopt(M_MMAP_THRESHOLD, BLOCK_OF_ITS_OWN);
	(void)mallopt(M_TRIM_THRESHOLD, FREE_KEPT);
	(void)mallopt(M_TOP_PAD, (int)MIB);
	for (size_t i = 1; i < a->positional_count; i++)
		argv[argc++] = (char *)(uintptr_t)a->positional[i];
	return role_run(a->positional[0], argc, argv);
}
