/* A full copy of a log in a folder, in the layout in which it was published, verified leaf by leaf while it is made. It
 * goes on where it stopped: its state stands in the folder as .mirror-state. log mirror makes copies of logs of
 * others, log recover brings our own back. (design.md part 10) */
#ifndef COMITY_CLI_MIRROR_H
#define COMITY_CLI_MIRROR_H

#include "cli/progress.h"
#include "cli/watch.h"

struct mirror {
	const struct watched_place *log; /* borrowed */
	int dir_fd;
	struct log_source source;
	struct monitor *monitor;
	struct progress progress;
	uint64_t acts; /* new in this round */
	uint64_t kept; /* size of the checkpoint in the folder */
	uint64_t turn; /* seconds that the server has in a round; 0: no end */
};
/* Makes the folder. mirror_close also after a failure. */
bool mirror_open(struct mirror *m, const struct watched_place *log, const char *folder, const uint8_t *pin, struct err *e) MUST_USE;
/* Once: all files up to the newest checkpoint, then what is published beside them. watch_stop ends it. */
bool mirror_round(struct mirror *m, bool quiet, struct err *e) MUST_USE;
void mirror_close(struct mirror *m);

#endif
