/* Progress is for the person who waits: at most ten times a second on a terminal, at most ten lines
 * otherwise, none for what is over before anybody could read it. */
#include "cli/progress.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define BAR_CELLS 30u
#define TERMINAL_EVERY_US 100000
#define LINES_EVERY_US 200000

void progress_start(struct progress *p, const char *what, uint64_t total, bool quiet)
{
	*p = (struct progress){ .what = what, .total = total, .quiet = quiet, .terminal = isatty(STDERR_FILENO) == 1,
				.begun_us = clock_monotonic_us() };
	p->told_us = p->begun_us;
}

static double mib(uint64_t bytes)
{
	return (double)bytes / (1024.0 * 1024.0);
}

static void tell(struct progress *p, int64_t now_us)
{
	double seconds = (double)(now_us - p->begun_us) / 1e6, rate = seconds > 0 ? mib(p->done) / seconds : 0;
	unsigned percent = p->total == 0 ? 0 : (unsigned)((double)p->done * 100.0 / (double)p->total);
	char bar[BAR_CELLS + 1];

	if (percent > 100)
		percent = 100;
	for (unsigned i = 0; i < BAR_CELLS; i++)
		bar[i] = i < percent * BAR_CELLS / 100 ? '#' : '.';
	bar[BAR_CELLS] = '\0';
	if (p->total == 0)
		fprintf(stderr, "%s%s: %.1f MiB%s", p->terminal ? "\r" : "", p->what, mib(p->done), p->terminal ? "" : "\n");
	else
		fprintf(stderr, "%s%s [%s] %3u %% of %.1f MiB, %.0f MiB/s%s", p->terminal ? "\r" : "", p->what, bar, percent,
			mib(p->total), rate, p->terminal ? "  " : "\n");
	fflush(stderr);
	p->told_us = now_us;
	p->told = p->done;
}

void progress_at(struct progress *p, uint64_t done)
{
	int64_t now_us;
	unsigned tenth;

	if (p == NULL)
		return;
	p->done = done;
	if (p->quiet || done == 0)
		return;
	now_us = clock_monotonic_us();
	if (now_us - p->told_us < (p->terminal ? TERMINAL_EVERY_US : LINES_EVERY_US))
		return;
	tenth = p->total == 0 ? p->tenth + 1 : (unsigned)((double)done * 10.0 / (double)p->total);
	if (!p->terminal && tenth <= p->tenth)
		return;
	p->tenth = tenth;
	tell(p, now_us);
}

void progress_add(struct progress *p, uint64_t bytes)
{
	if (p != NULL)
		progress_at(p, p->done + bytes);
}

void progress_end(struct progress *p)
{
	if (p == NULL || p->quiet)
		return;
	if (p->terminal ? p->done > 0 : p->told > 0 && p->told != p->done)
		tell(p, clock_monotonic_us());
	if (p->terminal && p->told > 0)
		fprintf(stderr, "\n");
}
