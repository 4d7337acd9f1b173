/* comity serve: the node itself, in the foreground until a signal. */
#include "cli/commands.h"
#include "cli/output.h"
#include "daemon/serve.h"

const struct option serve_options[] = { OPTION_HOME, OPTION_END };

int serve_command(const struct args *a)
{
	const char *home;
	struct err e;

	return home_of(a, &home, &e) ? serve_run(home) : command_failed(&e);
}
