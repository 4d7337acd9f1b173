/* Finds the rule pack once. A program that was built and not installed finds the one of its own tree, so that
 * what the README shows works from a clone; an installed one looks nowhere but where it was installed. */
#include "cli/treaty-folder.h"

#include <limits.h>
#include <unistd.h>

#define INSTALLED COMITY_DATADIR "/treaties"

static bool holds_a_pack(const char *folder)
{
	char pack[PATH_MAX + 8];

	snprintf(pack, sizeof(pack), "%.4095s/uncc", folder);
	return access(pack, R_OK | X_OK) == 0;
}

/* build/release/comity of a tree, and a build folder right below it. */
static bool beside_the_program(char found[static PATH_MAX])
{
	static const char *const places[] = { "../../treaties", "../treaties" };
	char program[PATH_MAX], place[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (n <= 0)
		return false;
	program[n] = '\0';
	*strrchr(program, '/') = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(place, sizeof(place), "%s/%s", program, places[i]);
		if (holds_a_pack(place) && realpath(place, found) != NULL)
			return true;
	}
	return false;
}

const char *treaty_folder(void)
{
	static char found[PATH_MAX];
	const char *folder = getenv("COMITY_TREATIES");

	if (folder != NULL && folder[0] != '\0')
		return folder;
	return holds_a_pack(INSTALLED) || !beside_the_program(found) ? INSTALLED : found;
}

bool treaty_folder_must(const char **ret, struct err *e)
{
	*ret = treaty_folder();
	return holds_a_pack(*ret) ||
	       err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "there is no rule pack in %s (COMITY_TREATIES names its folder)", *ret);
}

bool treaty_load_here(struct treaty **ret, struct err *e)
{
	return treaty_load(treaty_folder(), ret, e) || err_note(e, "the rule pack (COMITY_TREATIES names its folder)");
}
