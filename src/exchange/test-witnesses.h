/* For the tests of cosigning: witnesses in this process (log/witness.h over a state in memory), and a world in which
 * the register says whose cosignatures the log of Arcadia needs. Calls are carried by hand. */
#ifndef COMITY_EXCHANGE_TEST_WITNESSES_H
#define COMITY_EXCHANGE_TEST_WITNESSES_H

#include "exchange/cosigning.h"
#include "exchange/test-carry.h"
#include "log/witness.h"

enum tw_name { W1, W2, W3, W_XR, W_XA, WITNESSES };

struct tw {
	struct sign_key *key;      /* borrowed for the two of parties */
	struct note_key vkey, log; /* log: the one that it watches */
	char url[64];
	struct witness_state state;
	bool seen, dead, slow, junk;
	int64_t ahead_ms;
	unsigned calls;
	struct buf note;           /* what it shows */
	uint64_t held;             /* number of a call that it has not answered */
	struct buf held_body;
};

static struct tw witnesses[WITNESSES];

static inline bool tw_get(void *ctx, const char *origin, struct witness_state *ret, bool *ret_found, struct err *e)
{
	struct tw *t = ctx;

	*ret_found = t->seen;
	*ret = t->state;
	return true;
}

static inline bool tw_put(void *ctx, const char *origin, const struct witness_state *was, const struct witness_state *now,
			  struct bytes note, struct err *e)
{
	struct tw *t = ctx;

	t->state = *now;
	t->seen = true;
	buf_clear(&t->note);
	buf_add(&t->note, note);
	return true;
}

static inline const struct note_key *tw_log(void *ctx, const char *origin)
{
	struct tw *t = ctx;

	return strcmp(origin, t->log.name) == 0 ? &t->log : NULL;
}

static inline void tw_new(struct tw *t, const char *name, struct sign_key *key, const char *url)
{
	*t = (struct tw){ .key = key };
	note_key_make(name, NOTE_COSIGNATURE, sign_key_public(key), &t->vkey);
	snprintf(t->url, sizeof(t->url), "%s", url);
	buf_init(&t->note, NOTE_BYTES_MAX);
	buf_init(&t->held_body, NOTE_BYTES_MAX * 2);
}

static inline bool tw_say(struct home *h, struct tw *t, uint64_t number, struct bytes body, struct err *why)
{
	const struct witness_store s = { t, tw_get, tw_put, tw_log };
	struct witness_answer a;

	t->calls++;
	if (body.len == 0) /* the monitors' GET */
		return cosigning_answered(h->node, number, true, t->note.len > 0 ? 200 : 404, buf_bytes(&t->note), "", the_time, why);
	witness_add_checkpoint(&s, t->vkey.name, t->junk ? h->log : t->key, (the_time + t->ahead_ms) / 1000, body, &a, NULL);
	bool ok = cosigning_answered(h->node, number, true, a.status, buf_bytes(&a.body), "", the_time, why);
	buf_release(&a.body);
	return ok;
}

static inline void tw_answer(struct home *h, struct tw *t, uint64_t number, struct bytes body)
{
	IN(h, tw_say(h, t, number, body, e));
}

static inline struct tw *tw_of(const char *url)
{
	for (size_t i = 0; i < WITNESSES; i++)
		if (bytes_starts(bytes_of(url), witnesses[i].url))
			return &witnesses[i];
	fail_msg("nobody lives at %s", url);
	return NULL;
}

/* All calls that are due now, each answered at once unless its witness is dead or slow. */
static inline unsigned ask_witnesses(struct home *h)
{
	struct cosigning_ask ask;
	unsigned count = 0;
	bool found = true;

	while (found) {
		bool due = cosigning_due(h->node, the_time);
		assert_ok(node_begin(h->node, e));
		assert_ok(cosigning_next(h->node, the_time, &ask, &found, e));
		node_rollback(h->node);
		assert_true(due || !found); /* the look before never misses one */
		if (found) {
			struct tw *t = tw_of(ask.url);
			assert_true(++count < 50);
			if (t->dead) {
				t->calls++;
				IN(h, cosigning_answered(h->node, ask.number, false, 0, bytes_of(""), "nobody is there", the_time, e));
			} else if (t->slow) {
				assert_int_equal(t->held, 0); /* one call per witness is under way */
				t->held = ask.number;
				buf_clear(&t->held_body);
				buf_add(&t->held_body, buf_bytes(&ask.body));
			} else {
				tw_answer(h, t, ask.number, buf_bytes(&ask.body));
			}
		}
		buf_release(&ask.body);
	}
	return count;
}

static inline void answer_late(struct home *h, struct tw *t)
{
	uint64_t number = t->held;

	assert_true(number != 0);
	t->held = 0;
	tw_answer(h, t, number, buf_bytes(&t->held_body));
}

/* A slot, and all that witnesses do about it. */
static inline void cosigned_slot(struct home *h)
{
	slot(h);
	ask_witnesses(h);
	assert_ok(node_slot(h->node, the_time, e)); /* publishes */
}

static inline size_t cosignatures(const struct proved *p)
{
	struct note n;

	assert_ok(note_parse(buf_bytes(&p->note), &n, e));
	return n.signature_count - 1;
}

/* Some checkpoint of this log, as the node before a restore would have signed it. */
static inline void has_seen(struct tw *t, struct home *h, uint64_t size, const struct sign_key *key)
{
	struct checkpoint c = { .size = size };
	AUTO_BUF text = { 0 };

	buf_init(&text, KIB);
	snprintf(c.origin, sizeof(c.origin), "%s", log_origin(h->node->log));
	chance_fill(c.root, sizeof(c.root));
	checkpoint_write(&c, &text);
	buf_clear(&t->note);
	assert_ok(note_sign(buf_bytes(&text), c.origin, key, &t->note, e));
	t->seen = true;
	t->state.size = size;
	memcpy(t->state.root, c.root, sizeof(c.root));
}

/* --- a world with a policy ----------------------------------------------------------------------------------- */

static inline void witnesses_prepare(struct world *w)
{
	w->xa.witness = sign_key_new();
	w->xr.witness = sign_key_new();
	set(&w->xa, CONFIG_public_endpoint, "https://XA.example:9443");
	set(&w->xr, CONFIG_public_endpoint, "https://XR.example:9443");
}

static inline void policy_add_witness(struct buf *text, const char *name, const struct tw *t)
{
	buf_add_format(text, "witness %s ", name);
	note_key_write(&t->vkey, text);
	buf_add_format(text, " %s\n", t->url);
}

/* The secretariat states and publishes it, and everybody takes it into use. */
static inline void state_policy(struct world *w, const char *party, struct bytes text)
{
	uint8_t hash[SHA256_BYTES];
	struct home *all[] = { &w->xa, &w->xr, &w->xl };
	AUTO_BUF warnings = { 0 };

	buf_init(&warnings, 4 * KIB);
	IN(&w->xs, directory_policy(w->xs.node, bytes_of(party), text, 86400, 0, hash, &warnings, e));
	publish(w);
	for (size_t i = 0; i < 3; i++)
		take_register(w, all[i]);
}

/* Of these three, two must have signed. */
static inline void policy_two_of_three(struct world *w, const char *party)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, 4 * KIB);
	policy_add_witness(&text, "w1", &witnesses[W1]);
	policy_add_witness(&text, "w2", &witnesses[W2]);
	policy_add_witness(&text, "w3", &witnesses[W3]);
	buf_add_text(&text, "group two 2 w1 w2 w3\nquorum two\n");
	state_policy(w, party, buf_bytes(&text));
}

static inline void witnessed_world_begin(struct world *w)
{
	world_begin_with(w, witnesses_prepare);
	tw_new(&witnesses[W1], "w1.example/witness", sign_key_new(), "https://w1.example");
	tw_new(&witnesses[W2], "w2.example/witness", sign_key_new(), "https://w2.example/prefix");
	tw_new(&witnesses[W3], "w3.example/witness", sign_key_new(), "https://w3.example");
	tw_new(&witnesses[W_XR], "comity/XR/witness", w->xr.witness, "https://XR.example:9443");
	tw_new(&witnesses[W_XA], "comity/XA/witness", w->xa.witness, "https://XA.example:9443");
	for (size_t i = 0; i < WITNESSES; i++)
		witnesses[i].log = w->xa.node->identity.log;
}

static inline void witnessed_world_end(struct world *w)
{
	for (size_t i = 0; i < WITNESSES; i++) {
		if (i < W_XR)
			sign_key_free(witnesses[i].key);
		buf_release(&witnesses[i].note);
		buf_release(&witnesses[i].held_body);
	}
	world_end(w);
}

static inline void all_dead(bool dead)
{
	for (size_t i = W1; i <= W3; i++)
		witnesses[i].dead = dead;
}

/* --- how a home stands -------------------------------------------------------------------------------------- */

static inline uint64_t tw_proved_size(struct home *h)
{
	return cosigning_proved(h->node)->checkpoint.size;
}

static inline const char *tw_error_of(struct home *h, const char *name)
{
	static char text[200];
	AUTO_JSON *v = cosigning_status(h->node);
	const json_t *list = json_object_get(v, "witnesses");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_text(json_array_get(list, i), "name"), name) == 0) {
			snprintf(text, sizeof(text), "%s", json_text(json_array_get(list, i), "error"));
			return text;
		}
	return "no such witness";
}

static inline bool tw_letter_is_due(struct home *h)
{
	struct outbox_job j;

	next_job(h, OUTBOX_LETTERS, &j);
	bool due = j.count > 0;
	outbox_job_release(&j);
	return due;
}

#endif
