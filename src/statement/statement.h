/* What an authority says: one signed legal act. The payload is canonical JSON with exactly these
 * members (the two in brackets if and only if via is not "comity"):
 *   [attested_by] authority body case [dedupe] exercise from id kind legal_basis refs register time to v via
 * The body belongs to the kind (one file each); kinds.tbl.h lists them. Parsing refuses anything that
 * does not write back to the same bytes. */
#ifndef COMITY_STATEMENT_STATEMENT_H
#define COMITY_STATEMENT_STATEMENT_H

#include "base/json.h"
#include "base/text.h"
#include "seal/approval.h"
#include "treaty/finding.h"
#include "treaty/treaty.h"

#define PARTY_CODE_LEN_MAX 8
#define CASE_REF_BYTES_MAX 120u
#define STATEMENT_REFS_MAX 16u

struct statement;

enum kind_to { TO_PEER, TO_SELF, TO_REGISTER };

/* Every kind is the same few functions. check and print may assume a body that parse accepted. */
struct kind {
	const char *name;          /* "preservation-request" */
	const char *type;          /* payloadType: "application/vnd.comity.preservation-request+json; v=1" */
	const char *act_class;     /* for the leaf's class record and statistics: "preservation"; "" without leaf */
	enum kind_to to;
	bool leaf;                 /* has legal effect, so it is logged (design.md part 10) */
	bool may_go_pending;       /* may travel under the addressee's own cosignature when the quorum is missed */
	unsigned approvals;        /* bit 1 << enum approval_role for each that the signer demands */
	const char *words;         /* "a request to preserve stored data (art. 42)" */
	bool (*parse)(const json_t *body, struct err *e);   /* shape: exactly the members of the kind, types, limits */
	/* What the law or good practice finds missing, field by field; t NULL: only what needs no treaty. */
	void (*check)(const struct statement *s, const struct treaty *t, struct findings *f);
	/* The body in plain words, lines "  name: value"; times in UTC and the reader's local time. */
	void (*print)(const struct statement *s, int offset_minutes, struct buf *out);
	/* Approvals that depend on the body (an order for disclosure needs the court); NULL: `approvals` alone. */
	unsigned (*approvals_of)(const json_t *body);
	bool notice; /* without leaf, and yet a letter of its own: not counted among those between two parties */
};

const struct kind *kind_find(struct bytes name);      /* NULL: unknown */
const struct kind *kind_find_type(struct bytes type);
size_t kind_count(void);
const struct kind *kind_at(size_t i);
unsigned kind_approvals(const struct kind *k, const json_t *body);

struct statement_ref {
	struct id id;
	uint8_t hash[SHA256_BYTES];
};

struct statement {
	const struct kind *kind;
	struct bytes payload;       /* in the statement's own memory, as all texts here */
	uint8_t hash[SHA256_BYTES]; /* SHA-256 of the PAE */
	struct id id;
	const char *from, *to;      /* party codes; to is "*" for the register */
	const char *authority, *case_ref, *legal_basis, *via, *dedupe, *attested_by;
	bool exercise;
	int64_t time;
	struct statement_ref refs[STATEMENT_REFS_MAX];
	size_t ref_count;
	/* The register that the sender used: its log's origin ("" when parties are pinned), size, and when it
	 * was last seen fresh. */
	const char *register_origin;
	uint64_t register_size;
	int64_t register_time;
	const json_t *body;
	json_t *json;
};

bool statement_parse(struct bytes type, struct bytes payload, struct statement **ret, struct err *e) MUST_USE;
void statement_free(struct statement *s);
void statement_free_at(struct statement **s);
#define AUTO_STATEMENT __attribute__((cleanup(statement_free_at))) struct statement
struct bytes statement_type(const struct kind *k);
void statement_check(const struct statement *s, const struct treaty *t, struct findings *f);
/* Whole statement in plain words: what it is, from whom to whom, when (UTC and local), basis, EXERCISE, body.
 * offset_minutes: local time of the reader. */
void statement_print(const struct statement *s, int offset_minutes, struct buf *out);
/* Every member of such a body that is a time, whether filled or not: the object that has it, and its name. */
void statement_times(const struct kind *k, json_t *body, void (*each)(json_t *object, const char *name));
/* "2026-12-25" as its first millisecond: the member last_backup_dies of an erasure. */
#define ERASURE_DAY_LEN 10
bool erasure_day(struct bytes day, int64_t *ret_ms) MUST_USE;
/* A form to fill in for a request kind: JSON with every field, and its paragraph in a sibling "_help" object. */
bool statement_form(const struct kind *k, const struct treaty *t, struct buf *out, struct err *e) MUST_USE;

#endif
