/* comity serve: the node itself, in the foreground until a signal. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/treaty-folder.h"
#include "daemon/serve.h"

const struct option serve_options[] = { OPTION_HOME, OPTION_END };

int serve_command(const struct args *a)
{
	const char *home, *treaties;
	struct err e;

	if (!home_of(a, &home, &e) || !treaty_folder_must(&treaties, &e))
		return command_failed(&e);
	/* The roles look where the environment says, else where it was installed. */
	if (setenv("COMITY_TREATIES", treaties, 1) != 0)
		abort();
	return serve_run(home);
}
