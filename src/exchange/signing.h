/* What the signer will put a key to, and when. It signs only what it has itself parsed and written
 * again, only for its own party, and only with the approvals that the kind needs, each verified
 * against the approver keys of a register that it has verified itself from the trust root (design.md
 * part 4). The daemon's signer role is a message loop around these functions; tests call them directly. */
#ifndef COMITY_EXCHANGE_SIGNING_H
#define COMITY_EXCHANGE_SIGNING_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/secret.h"
#include "exchange/config.h"
#include "log/checkpoint.h"
#include "register/register.h"
#include "seal/age.h"
#include "seal/key.h"

struct signing;

struct signing_options {
	const struct config *config;
	struct sign_key *sign_key;       /* taken, as the next two */
	struct sign_key *log_key;
	struct seal_identity *identity;
	struct bytes approvers; /* HOME/approvers: who may approve; with a trust root, the register must say so too */
	int checkpoint_fd;      /* durable cell with the last checkpoint signed, open for reading and writing; not taken */
	bool restored;          /* the home was restored from a backup: locked until log recover */
};

bool signing_new(const struct signing_options *o, struct signing **ret, struct err *e) MUST_USE;
void signing_free(struct signing *s);

/* Replaces the register by one built from this bundle, if and only if it verifies from the configured
 * trust root and may follow the one in use (register_newer, register_witnessed). With a trust root an approver is whom both our
 * own entry in it and HOME/approvers name, by name, role and key: the secretariat alone cannot appoint our court,
 * and whoever changes a file here alone cannot either. Nobody approves under a register of more than
 * REGISTER_STALE_MS. Without a trust root HOME/approvers counts, as in our self-signed entry that peers pinned. */
bool signing_trust(struct signing *s, struct bytes bundle, struct err *e) MUST_USE;

struct signing_item {
	struct bytes kind;             /* "answer" */
	struct bytes payload;          /* canonical statement */
	const struct bytes *approvals; /* DSSE envelopes */
	size_t approval_count;
	const struct bytes *support;   /* acts: for an exhibit, the disclosure order with the court's approval */
	size_t support_count;
};
bool signing_statement(struct signing *s, const struct signing_item *item, uint8_t ret_signature[static 64],
		       struct err *e) MUST_USE;

/* Signs a checkpoint only when it extends the last one signed: larger or equal size, proved consistent,
 * and only after the cell is durable. A smaller one is ERR_CONFLICT REASON_LOCKED: the store is older
 * than what was signed, so it was restored, and nothing more is signed until it has been recovered. So a
 * keeper that finds its store smaller asks all the same, without a proof: that locks this process too. */
struct signing_extension {
	uint64_t size;
	uint8_t root[SHA256_BYTES];
	uint8_t proof[PROOF_HASHES_MAX][SHA256_BYTES]; /* consistency from signing_last to this */
	size_t proof_count;
};
bool signing_checkpoint(struct signing *s, const struct signing_extension *x, struct buf *note_out,
			struct err *e) MUST_USE;
/* Ends the lock of a restore. A store that lacks signed leaves locks again at the next checkpoint. */
void signing_unlock(struct signing *s);
bool signing_locked(const struct signing *s);
/* The last checkpoint signed; size 0 and the empty root when none was. */
const struct checkpoint *signing_last(const struct signing *s);

/* What a cell remembers of a signer that does not run; size 0 and the empty root when nothing. */
bool signing_cell(int fd, struct checkpoint *ret, struct err *e) MUST_USE;

/* Unwraps the file key of an age header that is sealed to this home. */
bool signing_unwrap(struct signing *s, struct bytes age_header, struct secret **ret_file_key, struct err *e) MUST_USE;

#endif
