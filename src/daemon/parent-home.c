/* What the parent does with a home before it starts anybody: its folders, its lock, and who the roles are to be. */
#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/parent-internal.h"

bool home_folders(int home_fd, bool alone, struct err *e)
{
	static const char *const folders[] = { "run", "witness", "store", "blobs", "log", "backup" };
	size_t wanted = alone ? 2 : sizeof(folders) / sizeof(folders[0]);

	for (size_t i = 0; i < wanted; i++)
		if (!dir_make(home_fd, folders[i], 0700, e))
			return false;
	return true;
}

/* Two nodes on one home would sign two logs: the lock is held as long as the parent lives. */
bool run_lock(int run_fd, int *ret_fd, struct err *e)
{
	AUTO_FD fd = openat(run_fd, "pid", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	char text[32];

	if (fd < 0)
		return err_system(e, "cannot open run/pid");
	/* What is in run/ is then not ours to clear away. */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "this home is served already");
	snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0)
		return err_system(e, "run/pid");
	if (!file_write_all(fd, bytes_of(text), e))
		return false;
	*ret_fd = fd;
	fd = -1;
	return true;
}

bool user_find(const struct config *config, struct pager_options *o, struct err *e)
{
	const char *user = config_text(config, user);
	const struct passwd *who;

	if (geteuid() != 0 || user[0] == '\0')
		return true;
	who = getpwnam(user);
	if (who == NULL)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "there is no user %s", user);
	o->change_user = true;
	o->uid = who->pw_uid;
	o->gid = who->pw_gid;
	return true;
}
