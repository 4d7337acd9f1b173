/* Messages between keeper and mill (as parcels). A job's descriptors come with it: input, then output
 * (none for CHECK). Pipes are fine. Jobs run on threads, at most MILL_JOBS_MAX at once; more wait. */
#ifndef COMITY_DAEMON_MILL_MESSAGES_H
#define COMITY_DAEMON_MILL_MESSAGES_H

#include "base/buf.h"
#include "base/err.h"
#include "seal/age.h"

#define MILL_JOBS_MAX 4u

enum mill_message_type {
	MILL_SEAL = 1,     /* keeper -> mill: plaintext in, age file out, to these recipients, with this file key */
	MILL_OPEN = 2,     /* age file in, plaintext out, with this file key */
	MILL_CHECK = 3,    /* age file in: only the totals */
	MILL_DONE = 4,     /* mill -> keeper */
	MILL_PROGRESS = 5, /* mill -> keeper, at most 4 a second */
};

struct mill_message {
	enum mill_message_type type;
	uint64_t job;
	uint8_t file_key[AGE_FILE_KEY_BYTES]; /* SEAL, OPEN, CHECK; wiped by the caller after writing */
	struct age_recipient recipients[AGE_STANZAS_MAX];
	size_t recipient_count;               /* SEAL */
	bool ok;                              /* DONE */
	struct bytes error;                   /* DONE, when not ok: one sentence */
	uint16_t reason;                      /* DONE, when not ok: enum reason */
	struct age_totals totals;             /* DONE */
	uint64_t bytes;                       /* PROGRESS: plaintext so far */
};
void mill_message_write(const struct mill_message *m, struct buf *out); /* out is to be wiped */
bool mill_message_parse(struct bytes in, struct mill_message *ret, struct err *e) MUST_USE;

#endif
