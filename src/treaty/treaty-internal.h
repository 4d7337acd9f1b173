/* What the files of the treaty chapter share: the loaded rows, and a block as the reader hands it on.
 * Rows live in fixed arrays, so that a file of any content has a ceiling and pointers into them hold. */
#ifndef COMITY_TREATY_TREATY_INTERNAL_H
#define COMITY_TREATY_TREATY_INTERNAL_H

#include "base/arena.h"
#include "base/text.h"
#include "treaty/treaty.h"

#define TREATY_ARTICLES_TOP 68 /* the Convention has arts 1 to 68 */
#define TREATY_LINE_BYTES_MAX 1000u
#define BLOCK_LINES_MAX 40u
#define ELEMENTS_MAX 24u
#define FIELDS_MAX 40u
#define ARTICLES_MAX 400u
#define BASES_MAX 16u
#define CONSTANTS_MAX 64u
#define OFFENCES_MAX 32u
#define REQUESTS_MAX 16u
#define MEASURES_MAX 32u
#define GROUNDS_MAX 96u
#define NEVERS_MAX 16u

struct basis_row {
	const char *name, *words, *clause, *certainty;
	bool has_other;
};

struct constant_row {
	const char *name, *words, *unit, *clause, *certainty, *kinds;
	int64_t value;
};

struct request_row {
	const char *kind, *words, *clause, *certainty;
	struct treaty_field fields[FIELDS_MAX];
	size_t field_count;
};

struct offence_row {
	struct treaty_offence offence;
	struct treaty_element elements[ELEMENTS_MAX];
};

struct measure_row {
	struct treaty_measure measure;
	const char *note;
};

struct ground_row {
	struct treaty_ground ground;
	const char *basis;
};

struct never_row { /* what may never be a ground */
	const char *name, *words, *clause, *certainty, *kinds;
};

struct treaty {
	struct arena *arena;
	uint8_t version[SHA256_BYTES];
	struct treaty_article articles[ARTICLES_MAX];
	struct basis_row bases[BASES_MAX];
	struct constant_row constants[CONSTANTS_MAX];
	struct offence_row offences[OFFENCES_MAX];
	struct request_row requests[REQUESTS_MAX];
	struct measure_row measures[MEASURES_MAX];
	struct ground_row grounds[GROUNDS_MAX];
	struct never_row nevers[NEVERS_MAX];
	size_t article_count, basis_count, constant_count, offence_count, request_count, measure_count,
		ground_count, never_count;
};

struct block_line {
	const char *key, *value;
	unsigned number;
};

struct block {
	const char *file; /* "uncc/grounds.txt" */
	struct block_line lines[BLOCK_LINES_MAX];
	size_t count; /* lines[0] names the block */
};

struct block_key {
	const char *name;
	bool must, repeats;
};

#define BLOCK_KEYS_MAX 10u
struct block_type {
	const char *name;
	struct block_key keys[BLOCK_KEYS_MAX]; /* every type has `certainty` besides */
	bool (*take)(struct treaty *t, const struct block *b, struct err *e);
};

#define BLOCK_TYPES_MAX 2u
struct treaty_file {
	const char *name; /* "grounds.txt" */
	struct block_type types[BLOCK_TYPES_MAX];
};

/* In order of loading: a file refers only to rows of itself above and of files before it. */
extern const struct treaty_file treaty_files[];
extern const size_t treaty_file_count;

struct treaty *treaty_new(void);
/* Reads one file's bytes into t. After false, t may only be freed. */
bool treaty_parse(struct treaty *t, const struct treaty_file *file, struct bytes in, struct err *e) MUST_USE;
/* What only the whole can be asked: every article, offence, basis and needed constant is there. */
bool treaty_check_whole(const struct treaty *t, struct err *e) MUST_USE;

const struct block_line *block_line(const struct block *b, const char *key); /* NULL: not there */
const char *block_value(const struct block *b, const char *key);             /* "" when not there */
/* Sets "uncc/FILE:LINE: ..." and returns false. The line of key, or of the block when key is not there. */
bool block_wrong(const struct block *b, const char *key, enum reason reason, struct err *e, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

const struct request_row *treaty_request(const struct treaty *t, struct bytes kind);
const struct basis_row *treaty_basis(const struct treaty *t, struct bytes name);
const struct constant_row *treaty_constant_find(const struct treaty *t, struct bytes name);
const struct measure_row *treaty_measure_row(const struct treaty *t, struct bytes article);
/* True when the list "a b c" holds this word. */
bool words_hold(const char *list, struct bytes word);
/* Article of a clause: "42" of "42(3)(g)". */
struct bytes clause_article(struct bytes clause);
bool certainty_exists(const char *certainty);

#endif
