/* How far a long job is, on standard error: a bar that moves on a terminal, a line per tenth elsewhere. */
#ifndef COMITY_CLI_PROGRESS_H
#define COMITY_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what;
	uint64_t done, total; /* bytes; total 0: not known */
	bool quiet, terminal;
	unsigned tenth;       /* last one told */
	int64_t begun_us, told_us;
	uint64_t told;        /* what was told last */
};

void progress_start(struct progress *p, const char *what, uint64_t total, bool quiet);
void progress_add(struct progress *p, uint64_t bytes); /* p may be NULL, as in the next two */
void progress_at(struct progress *p, uint64_t done);
void progress_end(struct progress *p); /* says 100 % where it was told before */

#endif
