/* Evidence packages: exhibits and everything needed to verify them, as one BagIt 1.0 folder (RFC 8493)
 * that a court checks offline (evidence.md 1.1):
 *   bagit.txt bag-info.txt manifest-sha256.txt manifest-sha512.txt tagmanifest-sha256.txt tagmanifest-sha512.txt
 *   data/<exhibit id>/<safe name>      as received; meta/names.json has the original names
 *   meta/acts/NNNN-<kind>.json         acts, oldest first; NNNN-<kind>.counterproof.json beside
 *   meta/register.json, meta/pins/<party>.json   the register that was used
 *   meta/checkpoints/<party>.txt       last checkpoint known of each log
 *   meta/custody.jsonld                custody as CASE/UCO 1.4 (projection of the custody statements)
 *   meta/README.txt                    what this is and how to verify it, for a person
 *   seal/tagmanifest.json              the act (custody "package") whose object is the SHA-256 of
 *                                      tagmanifest-sha256.txt; the only tag file outside the tag manifests */
#ifndef COMITY_EVIDENCE_PACKAGE_H
#define COMITY_EVIDENCE_PACKAGE_H

#include "base/err.h"
#include "base/json.h"
#include "base/text.h"

struct package_act {
	struct bytes act, counterproof; /* canonical JSON; counterproof may be empty */
};
struct package_exhibit {
	const char *id, *name;
	uint64_t size;
	uint8_t sha256[SHA256_BYTES];
};
struct package_input {
	const struct package_act *acts;
	size_t act_count;
	const struct package_exhibit *exhibits;
	size_t exhibit_count;
	struct bytes bundle;                 /* may be empty (pins alone) */
	const struct bytes *pins;
	size_t pin_count;
	const char *const *checkpoint_parties; /* "XA" ... */
	const struct bytes *checkpoints;       /* notes */
	size_t checkpoint_count;
	const char *case_ref, *party, *party_name;
	int64_t now_ms;
	/* Copies the plaintext of an exhibit into out_fd. */
	bool (*content)(void *ctx, const struct package_exhibit *x, int out_fd, struct err *e);
	/* Asks the node for the seal over this digest (blocks until it has its proof); appends the act's JSON. */
	bool (*seal)(void *ctx, const uint8_t sha256[static SHA256_BYTES], uint64_t size, uint64_t files, struct buf *act,
		     struct err *e);
	void (*progress)(void *ctx, const char *what, uint64_t done, uint64_t total); /* may be NULL */
	void *ctx;
};
/* Writes into a new folder `path` (made as path.part, renamed at the end). Every content is hashed while it
 * is written and compared with the exhibit's digest. */
bool package_write(const char *path, const struct package_input *in, struct err *e) MUST_USE;

#endif
