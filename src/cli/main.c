/* comity: one program, its commands in table.c. */
#include "cli/args.h"

int main(int argc, char **argv)
{
	if (argc == 2 && (bytes_is(bytes_of(argv[1]), "--version") || bytes_is(bytes_of(argv[1]), "version"))) {
		puts("comity " COMITY_VERSION);
		return 0;
	}
	return command_run(command_table(), "comity", argc - 1, argv + 1);
}
