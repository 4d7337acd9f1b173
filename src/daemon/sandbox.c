/* One policy per role. The system call sets stand in roles.tbl.h; here are the paths. A role without
 * paths cannot open any file: what it needs it was handed. */
#include "daemon/sandbox.h"

#include "base/bytes.h"
#include "base/diag.h"
#include "daemon/roles.h"
#include "exchange/recover.h"
#include "exchange/retire.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What name resolution reads; and time zone data, which libcurl's date parser asks for. */
static const struct sandbox_path courier_paths[] = {
	{ "/etc/resolv.conf", 0, SANDBOX_READ | SANDBOX_IF_THERE },
	{ "/etc/hosts", 0, SANDBOX_READ | SANDBOX_IF_THERE },
	{ "/etc/nsswitch.conf", 0, SANDBOX_READ | SANDBOX_IF_THERE },
	{ "/etc/gai.conf", 0, SANDBOX_READ | SANDBOX_IF_THERE },
	{ "/etc/host.conf", 0, SANDBOX_READ | SANDBOX_IF_THERE },
	{ "/etc/ssl/openssl.cnf", 0, SANDBOX_READ | SANDBOX_IF_THERE },
	{ "/lib/x86_64-linux-gnu", 0, SANDBOX_READ | SANDBOX_IF_THERE }, /* libnss_* are loaded at the first look-up */
	{ "/lib/aarch64-linux-gnu", 0, SANDBOX_READ | SANDBOX_IF_THERE },
};

static const struct sandbox_path keeper_paths[] = {
	{ "store", KEEPER_FD_HOME, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE },
	{ "blobs", KEEPER_FD_HOME, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE },
	{ "log", KEEPER_FD_HOME, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE },
	{ "backup", KEEPER_FD_HOME, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE },
	{ RECOVER_FOLDER, KEEPER_FD_HOME, SANDBOX_READ | SANDBOX_IF_THERE },
	{ RETIRED_FILE, KEEPER_FD_HOME, SANDBOX_READ | SANDBOX_IF_THERE },
};

static const struct sandbox_path door_paths[] = {
	{ "", DOOR_FD_LOG, SANDBOX_READ },
	{ "", DOOR_FD_MIRROR, SANDBOX_READ },
};

static const struct sandbox_path witness_paths[] = {
	{ "", WITNESS_FD_HOME, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE },
};

static const struct {
	const char *name;
	unsigned sets;
} policies[ROLE_COUNT] = {
#define ROLE(name, main, sets, words) [ROLE_##name] = { #name, sets },
#include "daemon/roles.tbl.h"
};

static bool apply(const char *role, bool with_paths, struct err *e)
{
	struct sandbox_policy p = { 0 };
	struct sandbox_result r;
	size_t i = 0;

	while (i < ROLE_COUNT && !bytes_is(bytes_of(role), policies[i].name))
		i++;
	if (i == ROLE_COUNT)
		return err_set(e, ERR_SYSTEM, REASON_BAD_ARGUMENT, "no role is called \"%s\"", role);
	p.sets = policies[i].sets;
	if (i == ROLE_keeper)
		p.paths = keeper_paths, p.path_count = COUNT(keeper_paths);
	else if (i == ROLE_courier)
		p.paths = courier_paths, p.path_count = COUNT(courier_paths);
	else if (i == ROLE_door)
		p.paths = door_paths, p.path_count = COUNT(door_paths);
	else if (i == ROLE_witness)
		p.paths = witness_paths, p.path_count = COUNT(witness_paths);
	if (!with_paths)
		p.path_count = 0;
	if (!sandbox_apply(&p, &r, e))
		return err_note(e, "sandbox of %s", role);
	if (r.seccomp && r.landlock)
		return true;
	diag(DIAG_WARNING, "sandbox-missing", "role=%s landlock=%s seccomp=%s", role, r.landlock ? "yes" : "no",
	     r.seccomp ? "yes" : "no");
	if (getenv("COMITY_SANDBOX_REQUIRED") != NULL)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE,
			       "this kernel has no %s; set sandbox = warn to run without it",
			       r.seccomp ? "Landlock" : "seccomp");
	return true;
}

bool sandbox_role(const char *role, struct err *e)
{
	return apply(role, true, e);
}

bool sandbox_role_without_paths(const char *role, struct err *e)
{
	return apply(role, false, e);
}
