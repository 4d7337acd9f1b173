/* Which main belongs to which name, and what a role does before it. */
#include "daemon/roles.h"

#include "base/bytes.h"
#include "base/diag.h"
#include "daemon/role.h"
#include "process/spawn.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *words;
} table[ROLE_COUNT] = {
#define ROLE(name, main, sets, words) [ROLE_##name] = { #name, main, words },
#include "daemon/roles.tbl.h"
};

const char *role_name(enum role r)
{
	return table[r].name;
}

const char *role_words(enum role r)
{
	return table[r].words;
}

int role_run(const char *name, int argc, char **argv)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (!bytes_is(bytes_of(name), table[i].name))
			continue;
		spawn_entered();
		diag_start(name, DIAG_INFO);
		if (argc > 0 && bytes_is(bytes_of(argv[0]), "self-test"))
			return role_self_test(name);
		return table[i].main(argc, argv);
	}
	fprintf(stderr, "comity: no role is called \"%s\"\n", name);
	return err_exit_status(ERR_INPUT);
}
