/* What the parts of verification share: the thing under verification, and the report that grows. */
#ifndef COMITY_EVIDENCE_VERIFY_INTERNAL_H
#define COMITY_EVIDENCE_VERIFY_INTERNAL_H

#include "evidence/bagit.h"
#include "evidence/package-internal.h"
#include "evidence/verify.h"
#include "register/judge.h"

struct verified_act {
	package_path file, counter_file; /* counter_file "" when there is none */
	struct act *act;
	bool judged, counter_judged;     /* true under the register */
	struct judgement judgement, counter;
	struct bytes counterproof;
};

struct verification {
	const struct verify_options *o;
	json_t *report, *broken, *checks; /* the latter two belong to report */
	size_t broken_lost;
	struct bag *bag;
	struct bag_info info;             /* into bag; party.len 0 when it could not be read */
	struct verified_act *acts;        /* as numbered */
	size_t act_count;
	const struct statement **statements; /* as acts */
	struct act *seal;
	struct register_ *r;
	struct checkpoint_cache *cache;
	bool root_matched, bundle_confirmed;
	size_t proofs_missing;            /* counterproofs that may still come */
};

/* what: a path in the package, or the name of the file that was given. */
void verify_broken(struct verification *v, const char *what, enum reason reason, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void verify_broken_err(struct verification *v, const char *what, const struct err *e);
void verify_check(struct verification *v, const char *name, bool ok, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The same, before whatever else is broken. */
void verify_broken_first(struct verification *v, const char *what, enum reason reason, const char *text);
/* Something that breaks nothing, and must be told. */
void verify_note(struct verification *v, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t verify_broken_count(const struct verification *v);

/* verify-register.c */
void verify_bundle(struct verification *v, const char *what, struct bytes bundle, int64_t at_ms);
void verify_pin(struct verification *v, const char *what, const char *code, struct bytes act);
/* Whether the keys of this party follow from a root that was given, and which fingerprint to compare. */
bool verify_confirmed(const struct verification *v, const char *code);
/* Of everybody who said something here, or whose log shows it. */
bool verify_all_confirmed(const struct verification *v);
void verify_fingerprint(struct verification *v, const char *code);
void verify_root(struct verification *v, const char *what);

/* verify-acts.c */
void verify_judge_all(struct verification *v);
void verify_register_age(struct verification *v);
void verify_references(struct verification *v);
void verify_custody(struct verification *v);
void verify_checkpoints(struct verification *v);
void verify_one_exercise(struct verification *v);

/* verify-report.c: acts, exhibits, parties and what they have in common, as JSON. */
void verify_tell_acts(struct verification *v);
void verify_tell_exhibits(struct verification *v);
void verify_tell_witnesses(struct verification *v);
void verify_tell_parties(struct verification *v);
bool verify_is_request(const struct statement *s);

/* verify-package.c */
void verify_package(struct verification *v, int dir_fd, struct err *e);

/* verify-words.c: what codes mean, in plain words; a code that has none is itself. */
const char *verify_custody_words(const char *act);      /* "transmit": "handed over (transmit)" */
const char *verify_basis_words(const char *basis);
const char *verify_assurance_words(const char *assurance);

/* verify-tell.c: the order and the words of a report, once for both forms. Rows are arrays of strings. */
struct teller {
	void (*begin)(struct buf *out, const char *title, bool exercise);
	void (*verdict)(struct buf *out, const char *result, const char *text);
	void (*section)(struct buf *out, const char *title);
	void (*paragraph)(struct buf *out, const char *text);
	void (*list)(struct buf *out, const json_t *items);
	void (*fields)(struct buf *out, const json_t *pairs);
	void (*table)(struct buf *out, const char *caption, const json_t *heads, const json_t *rows);
	void (*end)(struct buf *out);
};

/* A report that is being told: what the parts of it (verify-tell*.c) share. */
struct telling {
	const json_t *report;
	int offset_minutes;
	const struct teller *t;
	struct buf *out;
};
json_t *row_of(size_t n, ...);                      /* of texts; one that is no UTF-8 is made good */
void tell_add(json_t *array, json_t *taken);
void tell_add_text(json_t *array, const char *text);
const json_t *list_in(const struct telling *g, const char *name);
bool is_result(const struct telling *g, const char *result);
bool is_root_mismatch(const struct telling *g);
void when_of(const struct telling *g, const char *time, char ret[static 64]);
void party_name(const struct telling *g, const char *code, char ret[static 300]); /* "Arcadia (XA, fictional)" */
bool is_about(const json_t *act, const char *kind); /* kind: the end of its name */
const json_t *act_by_id(const struct telling *g, const char *id);                 /* NULL: none */
const char *exhibit_name(const struct telling *g, const char *id);

/* verify-tell-summary.c */
void tell_summary(const struct telling *g);
/* verify-tell-acts.c */
void tell_kind(const struct telling *g, const char *kind, const char *title);
void tell_approvals(const struct telling *g);
void tell_confirmations(const struct telling *g);
const char *detail_of(const json_t *act, const char *name);
/* "signed by 2 independent witnesses at 2026-...", "no independent witness yet"; log: one of an act's "logs". */
void witness_words(const struct telling *g, const json_t *log, char ret[static 160]);
/* verify-tell-exhibits.c */
void tell_exhibits(const struct telling *g);
void tell_digests(const struct telling *g);
void tell_glossary(const struct telling *g);

void verify_tell(const json_t *report, int offset_minutes, const struct teller *t, struct buf *out);

#endif
