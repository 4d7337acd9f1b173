/* Paging an officer: runs the operator's command with the officer as its argument and the words on its standard
 * input, for at most 30 seconds. The command gets nothing else of ours: no descriptor, no environment but a
 * path and a language. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "daemon/parent-internal.h"

#define PAGE_US_MAX INT64_C(30000000)
#define PAGES_MAX 16u
/* As a shell says it. */
#define STATUS_NOT_STARTED 127
#define STATUS_BUSY 126

struct page {
	struct page *next;
	struct pager *pager;
	uint64_t cookie, timer;
	struct child child;
};

struct pager {
	struct pager_options o;
	struct page *pages;
	size_t count;
};

struct pager *pager_new(const struct pager_options *o)
{
	struct pager *p = calloc(1, sizeof(*p));

	if (p == NULL)
		abort();
	p->o = *o;
	return p;
}

static void page_free(struct page *g)
{
	struct page **at = &g->pager->pages;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	g->pager->count--;
	loop_cancel(g->pager->o.loop, g->timer);
	free(g);
}

static void ended(void *ctx, short revents)
{
	struct page *g = ctx;
	struct pager *p = g->pager;
	uint64_t cookie = g->cookie;
	bool over = false;
	int status = 0, fd = g->child.pidfd;

	if (!child_wait(&g->child, false, &over, &status, NULL) || !over)
		return;
	loop_unwatch(p->o.loop, fd);
	page_free(g);
	p->o.paged(p->o.ctx, cookie, (uint8_t)status);
}

/* The command is its own process group, so that what it started ends with it. */
static void too_long(void *ctx)
{
	struct page *g = ctx;

	g->timer = 0;
	diag(DIAG_WARNING, "page-command-too-long", "pid=%ld", (long)g->child.pid);
	(void)kill(-g->child.pid, SIGKILL);
}

static void become(const struct pager *p, int words_fd, const char *officer)
{
	char *argv[] = { (char *)(uintptr_t)p->o.command, (char *)(uintptr_t)officer, NULL };
	char *env[] = { (char[]){ "PATH=/usr/local/bin:/usr/bin:/bin" }, (char[]){ "LANG=C.UTF-8" }, NULL };
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (setpgid(0, 0) != 0 || null < 0 || dup2(words_fd, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    syscall(SYS_close_range, 3u, ~0u, 0u) != 0)
		return;
	if (p->o.change_user && (setgroups(0, NULL) != 0 || setresgid(p->o.gid, p->o.gid, p->o.gid) != 0 ||
				 setresuid(p->o.uid, p->o.uid, p->o.uid) != 0))
		return;
	execve(argv[0], argv, env);
}

static bool page_start(struct page *g, int words_fd, const char *officer, struct err *e)
{
	pid_t pid = fork();

	if (pid == 0) {
		become(g->pager, words_fd, officer);
		_exit(STATUS_NOT_STARTED);
	}
	if (pid < 0)
		return err_system(e, "cannot fork");
	(void)setpgid(pid, pid); /* both sides, so that it is so whoever comes first */
	g->child = (struct child){ .pid = pid, .pidfd = (int)syscall(SYS_pidfd_open, pid, 0) };
	if (g->child.pidfd >= 0 && loop_watch(g->pager->o.loop, g->child.pidfd, POLLIN, ended, g, e))
		return true;
	(void)kill(pid, SIGKILL);
	return err_system(e, "cannot watch the page command");
}

void pager_run(struct pager *p, uint64_t cookie, struct bytes officer, struct bytes words)
{
	char name[PAGE_OFFICER_BYTES_MAX + 1];
	struct err e = { 0 };
	struct page *g;
	AUTO_FD fd = -1;

	if (p->o.command[0] == '\0' || p->count >= PAGES_MAX) {
		p->o.paged(p->o.ctx, cookie, p->count >= PAGES_MAX ? STATUS_BUSY : STATUS_NOT_STARTED);
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)officer.len, (const char *)officer.at);
	g = calloc(1, sizeof(*g));
	if (g == NULL)
		abort();
	g->pager = p;
	g->cookie = cookie;
	g->next = p->pages;
	p->pages = g;
	p->count++;
	fd = memfd_create("comity-page", MFD_CLOEXEC);
	if (fd >= 0 && file_write_all(fd, words, &e) && lseek(fd, 0, SEEK_SET) == 0 && page_start(g, fd, name, &e)) {
		g->timer = loop_timer(p->o.loop, clock_monotonic_us() + PAGE_US_MAX, too_long, g);
		return;
	}
	diag_err(DIAG_ERROR, "page-command-failed", &e);
	page_free(g);
	p->o.paged(p->o.ctx, cookie, STATUS_NOT_STARTED);
}

void pager_free(struct pager *p)
{
	if (p == NULL)
		return;
	while (p->pages != NULL) {
		struct page *g = p->pages;
		bool over;
		int status;

		(void)kill(-g->child.pid, SIGKILL);
		loop_unwatch(p->o.loop, g->child.pidfd);
		if (child_wait(&g->child, true, &over, &status, NULL))
			page_free(g);
		else
			abort(); /* our own child cannot be waited for */
	}
	free(p);
}
