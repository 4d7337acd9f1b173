/* The shape of a kind's body as a table of members, and what follows from it: the check that a body
 * has exactly these members, its words for people, and the empty form. Internal to statement/. */
#ifndef COMITY_STATEMENT_BODY_H
#define COMITY_STATEMENT_BODY_H

#include "base/json.h"
#include "base/limits.h"
#include "statement/statement.h"

enum member_type {
	MEMBER_TEXT,    /* min to max bytes */
	MEMBER_COUNT,   /* min to max */
	MEMBER_FLAG,
	MEMBER_TIME,    /* one spelling: base/text.h; "" where optional */
	MEMBER_HASH,    /* 64 hex; "" where optional; public keys and tags too */
	MEMBER_ID,      /* 32 hex; "" where optional */
	MEMBER_CHOICE,  /* one of "a|b|c"; "" where optional */
	MEMBER_OBJECT,  /* shape */
	MEMBER_LIST,    /* of objects of the shape: min to max items */
	MEMBER_TEXTS,   /* list of texts of 1 to LINE_BYTES_MAX bytes: min to max items */
	MEMBER_HASHES,  /* list of hashes: min to max items */
	MEMBER_CHOICES, /* list of choices, each at most once: min to max items */
};

struct shape;

struct member {
	const char *name;
	enum member_type type;
	bool optional;
	bool zero_is_none; /* of a count: 0 says nothing, and is not shown */
	bool may_miss;  /* came later: statements of before do not have it */
	int64_t min, max;
	const char *choices;
	const struct shape *of;
	const char *words; /* for people: "authority that asks" */
};

struct shape {
	const struct member *members;
	size_t count;
};
#define SHAPE(a) { (a), sizeof(a) / sizeof((a)[0]) }

#define M_LINE(n, w) { .name = n, .type = MEMBER_TEXT, .max = LINE_BYTES_MAX, .words = w }
#define M_LINE_MUST(n, w) { .name = n, .type = MEMBER_TEXT, .min = 1, .max = LINE_BYTES_MAX, .words = w }
#define M_TEXT(n, w) { .name = n, .type = MEMBER_TEXT, .max = PARAGRAPH_BYTES_MAX, .words = w }
#define M_TEXT_MUST(n, w) { .name = n, .type = MEMBER_TEXT, .min = 1, .max = PARAGRAPH_BYTES_MAX, .words = w }
#define M_COUNT(n, least, most, w) { .name = n, .type = MEMBER_COUNT, .min = least, .max = most, .words = w }
#define M_FLAG(n, w) { .name = n, .type = MEMBER_FLAG, .words = w }
#define M_TIME(n, w) { .name = n, .type = MEMBER_TIME, .words = w }
#define M_TIME_OR_NONE(n, w) { .name = n, .type = MEMBER_TIME, .optional = true, .words = w }
#define M_HASH(n, w) { .name = n, .type = MEMBER_HASH, .words = w }
#define M_HASH_OR_NONE(n, w) { .name = n, .type = MEMBER_HASH, .optional = true, .words = w }
#define M_ID(n, w) { .name = n, .type = MEMBER_ID, .words = w }
#define M_ID_OR_NONE(n, w) { .name = n, .type = MEMBER_ID, .optional = true, .words = w }
#define M_CHOICE(n, c, w) { .name = n, .type = MEMBER_CHOICE, .choices = c, .words = w }
#define M_CHOICE_OR_NONE(n, c, w) { .name = n, .type = MEMBER_CHOICE, .optional = true, .choices = c, .words = w }
#define M_OBJECT(n, s, w) { .name = n, .type = MEMBER_OBJECT, .of = s, .words = w }
#define M_LIST(n, s, least, w) \
	{ .name = n, .type = MEMBER_LIST, .min = least, .max = LIST_ITEMS_MAX, .of = s, .words = w }
#define M_TEXTS(n, w) { .name = n, .type = MEMBER_TEXTS, .max = LIST_ITEMS_MAX, .words = w }
#define M_HASHES(n, least, w) \
	{ .name = n, .type = MEMBER_HASHES, .min = least, .max = LIST_ITEMS_MAX, .words = w }
#define M_HASHES_UP_TO(n, most, w) { .name = n, .type = MEMBER_HASHES, .max = most, .words = w }
#define M_CHOICES(n, c, least, w) \
	{ .name = n, .type = MEMBER_CHOICES, .min = least, .max = LIST_ITEMS_MAX, .choices = c, .words = w }

/* Exactly the members of the shape, each of its type and within its limits. */
bool body_parse(const json_t *v, const struct shape *s, struct err *e) MUST_USE;
/* Lines "  words: value"; what is empty is left out. */
void body_print(const json_t *v, const struct shape *s, int offset_minutes, struct buf *out);
/* An object with every member, empty: texts "", counts 0, flags false, lists with one empty item. A new
 * reference. */
json_t *body_form(const struct shape *s);
const struct member *shape_find(const struct shape *s, struct bytes name); /* NULL: none */
/* Is there anything in it: a text, a number above 0, a flag that is set, an item, a filled member. */
bool body_is_filled(const json_t *v);
/* The time of a member that parse accepted; false when it is "". */
bool body_time(const json_t *body, const char *name, int64_t *ret_ms);
/* Adds a STOP when the text is empty. */
void body_must_text(const json_t *body, const char *name, const char *clause, struct findings *f, const char *sentence);

/* What each kind's file gives. */
#define KIND(c, name, act_class, to, leaf, pending, approvals, words)                                           \
	extern const struct shape c##_shape;                                                           \
	bool c##_parse(const json_t *body, struct err *e) MUST_USE;                                    \
	void c##_check(const struct statement *s, const struct treaty *t, struct findings *f);         \
	void c##_print(const struct statement *s, int offset_minutes, struct buf *out);
#include "statement/kinds.tbl.h"
unsigned order_approvals_of(const json_t *body);
const struct shape *kind_shape(const struct kind *k);

#endif
