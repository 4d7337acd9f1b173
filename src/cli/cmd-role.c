/* comity role NAME: what a running node starts for each of its roles. Not for people, but for the self-test. */
#include "cli/commands.h"
#include "daemon/roles.h"

int role_command(const struct args *a)
{
	char *argv[ARGS_POSITIONAL_MAX];
	int argc = 0;

	for (size_t i = 1; i < a->positional_count; i++)
		argv[argc++] = (char *)(uintptr_t)a->positional[i];
	return role_run(a->positional[0], argc, argv);
}
