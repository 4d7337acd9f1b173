/* For the tests of this chapter: a statement in order with all that the checks look at. A test changes one
 * thing and asks which rows speak. */
#ifndef COMITY_SAFEGUARD_TEST_SCENE_H
#define COMITY_SAFEGUARD_TEST_SCENE_H

#include "register/test-fixture.h"
#include "safeguard/safeguard.h"
#include "statement/test-samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct treaty *treaty;

static inline int load(void **state)
{
	const char *folder = getenv("COMITY_TREATIES");
	struct err e = { 0 };

	if (folder == NULL || !treaty_load(folder, &treaty, &e)) {
		fprintf(stderr, "treaties: %s\n", folder == NULL ? "COMITY_TREATIES is not set" : e.text);
		return -1;
	}
	return 0;
}

static inline int unload(void **state)
{
	treaty_free(treaty);
	return 0;
}

/* --- what a case is made of -------------------------------------------------------------------------- */

struct scene {
	json_t *frame; /* until it is parsed */
	struct statement *s, *request, *order;
	struct approval approvals[3];
	struct safeguard_facts facts;
	struct findings found;
};

/* A sample of the kind, under the basis "pilot", which needs no register; everything is in order. */
static inline void scene_of(const char *kind, struct scene *c)
{
	memset(c, 0, sizeof(*c));
	c->frame = sample_frame(kind, sample_body(kind));
	json_put_text(c->frame, "legal_basis", "pilot");
	c->facts = (struct safeguard_facts){ .t = treaty, .our_party = "XA", .now_ms = SAMPLE_NOW };
}

static inline json_t *body_of(struct scene *c)
{
	return json_object_get(c->frame, "body");
}

static inline json_t *offence_of(struct scene *c)
{
	return json_object_get(body_of(c), "offence");
}

/* The request that an answer, order or exhibit is about. */
static inline void with_request(struct scene *c, const char *kind, const char *basis, const char *offence)
{
	json_t *frame = sample_frame(kind, sample_body(kind));

	json_put_text(frame, "legal_basis", basis);
	json_put_text(json_object_get(json_object_get(frame, "body"), "offence"), "code", offence);
	assert_true(sample_parse(frame, &c->request, NULL));
	c->facts.request = c->request;
}

static inline void approved(struct scene *c, enum approval_role role, const char *name, const char *note)
{
	struct approval *a = &c->approvals[c->facts.approval_count++];

	a->role = role;
	snprintf(a->approver, sizeof(a->approver), "%s", name);
	snprintf(a->note, sizeof(a->note), "%s", note);
	a->envelope.signature_count = 1;
	snprintf(a->envelope.signatures[0].keyid, sizeof(a->envelope.signatures[0].keyid), "%s", name);
	c->facts.approvals = c->approvals;
}

static inline void approved_by_two(struct scene *c)
{
	approved(c, APPROVAL_REVIEWER, "Rana Vale", "");
	approved(c, APPROVAL_AUTHORITY, "Ilse Thorn", "");
}

static inline void check(enum safeguard_step step, struct scene *c)
{
	struct err e = { 0 };

	if (c->s == NULL) {
		if (!sample_parse(c->frame, &c->s, &e))
			fail_msg("%s", e.text);
		for (size_t i = 0; i < c->facts.approval_count; i++)
			memcpy(c->approvals[i].hash, c->s->hash, SHA256_BYTES);
	}
	c->facts.s = c->s;
	findings_init(&c->found);
	safeguard_check(step, &c->facts, &c->found);
}

static inline void end(struct scene *c)
{
	if (c->s == NULL)
		json_decref(c->frame);
	statement_free(c->s);
	statement_free(c->request);
	statement_free(c->order);
}

static inline const struct finding *found(const struct scene *c, const char *clause, enum finding_severity severity,
				   enum reason reason)
{
	for (size_t i = 0; i < c->found.count; i++) {
		const struct finding *x = &c->found.at[i];

		if (strcmp(x->clause, clause) == 0 && x->severity == severity && x->reason == reason)
			return x;
	}
	return NULL;
}

#define FIRES(c, clause, severity, reason) assert_non_null(found(c, clause, FINDING_##severity, REASON_##reason))
#define SILENT(c, clause, severity, reason) assert_null(found(c, clause, FINDING_##severity, REASON_##reason))

static inline void nothing_stops(const struct scene *c)
{
	for (size_t i = 0; i < c->found.count; i++)
		if (c->found.at[i].severity == FINDING_STOP)
			fail_msg("%s: %s", c->found.at[i].clause, c->found.at[i].text);
}

/* --- the register ------------------------------------------------------------------------------------- */

static inline void scene_pin(struct register_ *r, const char *code, const char *name, int64_t in_force_from, bool reservation)
{
	struct fx_home home;
	struct fx_act act;
	AUTO_BUF json = { 0 };

	buf_init(&json, LETTER_BYTES_MAX);
	fx_home_new(code, name, &home);
	home.party.in_force_from = in_force_from;
	home.party.reservation_42_5 = reservation;
	fx_entry(&home.party, code, home.key, &home.log, &act);
	fx_prove(&act, &home.log);
	fx_write(&act, &json);
	assert_true(register_pin(r, buf_bytes(&json), act.hash, NULL));
	fx_act_release(&act);
	fx_home_free(&home);
}

/* A register in which XA and XR are pinned; the Convention is in force for XR from that time (0: not), and XA
 * has made the reservation of 42(5). */
static inline struct register_ *scene_register(int64_t xr_in_force_from)
{
	struct register_ *r = register_new();

	scene_pin(r, "XA", "Arcadia", FX_NOW - DAY_MS, true);
	scene_pin(r, "XR", "Ruritania", xr_in_force_from, false);
	return r;
}

#endif
