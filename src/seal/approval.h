/* The signature of a person who reviewed, authorised or ordered: a DSSE envelope of type
 * application/vnd.comity.approval+json; v=1 whose payload is canonical JSON
 * {"approver","assurance","hash","note","role","time","v"}; hash is that of the statement approved
 * (SHA-256 of its PAE), so an approval of one statement approves no other. Assurances are those of
 * design.md part 10; this build verifies key-file (the others come behind the same interface and are
 * refused by approval_parse until then). */
#ifndef COMITY_SEAL_APPROVAL_H
#define COMITY_SEAL_APPROVAL_H

#include "base/buf.h"
#include "base/err.h"
#include "seal/dsse.h"
#include "seal/key.h"

#define APPROVAL_TYPE "application/vnd.comity.approval+json; v=1"
#define APPROVER_NAME_BYTES_MAX 120u
#define APPROVAL_NOTE_BYTES_MAX 4096u

/* What a person approves as: name (C), code, words. */
enum approval_role {
#define APPROVAL_ROLE(name, code, words) APPROVAL_##name,
#include "seal/approval-roles.tbl.h"
	APPROVAL_ROLE_COUNT
};

struct approval {
	struct envelope envelope;
	char approver[APPROVER_NAME_BYTES_MAX + 1];
	char note[APPROVAL_NOTE_BYTES_MAX + 1];
	char assurance[16];              /* "key-file" */
	enum approval_role role;
	uint8_t hash[SHA256_BYTES];
	int64_t time;                    /* ms */
};

bool approval_parse(struct bytes envelope, struct approval *ret, struct err *e) MUST_USE;
void approval_release(struct approval *a);
/* What a key holder makes: the envelope's canonical bytes. The note may be "". */
bool approval_make(const struct sign_key *k, const char *approver, enum approval_role role, const char *note,
		   const uint8_t hash[static SHA256_BYTES], int64_t time_ms, struct buf *out, struct err *e) MUST_USE;
const char *approval_role_code(enum approval_role r);
const char *approval_role_words(enum approval_role r);
bool approval_role_find(struct bytes code, enum approval_role *ret);

#define AUTO_APPROVAL __attribute__((cleanup(approval_release))) struct approval

#endif
