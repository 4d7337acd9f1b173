/* For test-simulation.c: the homes, the witnesses and the register that begin the month. Witness w is run by party
 * w + 1 and stands in its register entry; 3 regions are the groups of every policy, and a quorum needs two
 * of them. */
#ifndef COMITY_EXCHANGE_TEST_SIM_WORLD_H
#define COMITY_EXCHANGE_TEST_SIM_WORLD_H

#include "exchange/test-sim.h"

#include <sys/stat.h>

#define SIM_PROOF_AGE_S (10 * 24 * 3600)
#define SIM_WITNESS_LOST 4 /* which one loses its state for good */

/* --- witnesses ------------------------------------------------------------------------------------------------ */

static inline struct seen_tree *seen_of(struct sim_witness *w, const char *origin)
{
	for (size_t i = 0; i < w->sim->homes; i++)
		if (strcmp(w->seen[i].origin, origin) == 0)
			return &w->seen[i];
	return NULL;
}

static inline bool seen_get(void *ctx, const char *origin, struct witness_state *ret, bool *ret_found, struct err *e)
{
	struct seen_tree *t = seen_of(ctx, origin);

	*ret_found = t->note.len > 0;
	*ret = t->state;
	return true;
}

static inline bool seen_put(void *ctx, const char *origin, const struct witness_state *was, const struct witness_state *now,
			    struct bytes note, struct err *e)
{
	struct seen_tree *t = seen_of(ctx, origin);

	t->state = *now;
	buf_clear(&t->note);
	buf_add(&t->note, note);
	return buf_check(&t->note, "note", e);
}

static inline const struct note_key *seen_key(void *ctx, const char *origin)
{
	struct sim_witness *w = ctx;
	struct seen_tree *t = seen_of(w, origin);

	return t != NULL ? &w->sim->home[t - w->seen].log_key : NULL;
}

/* A key of its own, and nothing seen: at the beginning, and when its state was lost. */
static inline void witness_begin(struct sim *s, int w)
{
	struct sim_witness *x = &s->witness[w];
	char code[8];

	memcpy(code, s->home[w + 1].code, sizeof(code));
	sign_key_free(x->key);
	x->key = sign_key_new();
	x->sim = s;
	snprintf(x->name, sizeof(x->name), "comity/%s/witness%s", code, x->generation > 0 ? "-2" : "");
	x->generation++;
	note_key_make(x->name, NOTE_COSIGNATURE, sign_key_public(x->key), &x->public);
	for (size_t i = 0; i < s->homes; i++) {
		config_log_origin(&s->home[i].h.config, x->seen[i].origin);
		buf_release(&x->seen[i].note);
		buf_init(&x->seen[i].note, NOTE_BYTES_MAX);
		x->seen[i].state = (struct witness_state){ 0 };
	}
}

static inline int witness_by_url(const struct sim *s, const char *url)
{
	char code[8] = "";

	assert_int_equal(sscanf(url, "https://%7[^.].example", code), 1);
	return home_by_code(s, code) - 1;
}

static inline unsigned witness_asked(struct sim *s, int w, struct bytes request, struct buf *ret)
{
	struct sim_witness *x = &s->witness[w];
	struct witness_store store = { x, seen_get, seen_put, seen_key };
	struct witness_answer a;
	struct err why;

	witness_add_checkpoint(&store, x->name, x->key, (the_time + x->skew) / 1000, request, &a, &why);
	s->counts.witness_said[a.status]++;
	buf_clear(ret);
	buf_add(ret, buf_bytes(&a.body));
	buf_release(&a.body);
	return a.status;
}

/* --- homes ------------------------------------------------------------------------------------------------------ */

/* HOME/identity says which witness it runs. */
static inline void identity_rewrite(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];
	struct identity v;
	AUTO_BUF text = { 0 };

	buf_init(&text, 4 * KIB);
	assert_ok(file_read(x->h.dir.fd, "identity", &text, e));
	assert_ok(identity_parse(buf_bytes(&text), &v, e));
	x->log_key = v.log;
	v.has_witness = i > 0 && i <= (int)s->o.witnesses;
	if (v.has_witness)
		v.witness = s->witness[i - 1].public;
	buf_clear(&text);
	identity_write(&v, &text);
	write_file(&x->h, "identity", buf_bytes(&text));
}

/* Cheats sit at the end, where no witness is, but for the one that needs a witness of its own. */
static inline int home_of_cheat(const struct sim *s, enum cheat c)
{
	return c == CHEAT_PRIVATE_FORK ? 3 : (int)s->o.parties - ((int)c - 1);
}

static inline void sim_home_begin(struct sim *s, int i)
{
	struct sim_home *x = &s->home[i];
	char text[80];

	if (i == 0) {
		snprintf(x->code, sizeof(x->code), "XS");
		snprintf(x->name, sizeof(x->name), "Secretariat");
	} else {
		/* XAB to XBY: of the codes that ISO 3166 leaves to its users. */
		snprintf(x->code, sizeof(x->code), "X%c%c", 'A' + i / 26, 'A' + i % 26);
		snprintf(x->name, sizeof(x->name), "Arcadia %d", i);
	}
	home_begin(&x->h, x->code, x->name);
	x->leaves = i == 0 ? SIM_REGISTER_LEAVES : SIM_LEAVES;
	snprintf(text, sizeof(text), "%d", (int)SIM_SLOT_MS);
	set(&x->h, CONFIG_slot_ms, text);
	snprintf(text, sizeof(text), "%d", x->leaves);
	set(&x->h, CONFIG_leaves_per_slot, text);
	snprintf(text, sizeof(text), "https://%s.example", x->code);
	set(&x->h, CONFIG_public_endpoint, text);
	if (i != 0)
		set(&x->h, CONFIG_register_url, "https://XS.example");
	set(&x->h, CONFIG_register_pin, SAMPLE_HASH);
	x->skew = sim_roll(s, -4000, 4000);
}

/* --- the register ------------------------------------------------------------------------------------------------ */

/* Seven witnesses of three regions, others for every log; of its own party's it takes none. */
static inline bool policy_names(const struct sim *s, int home, int witness)
{
	int start = home * 7 % (int)s->o.witnesses;

	for (int k = 0, taken = 0; taken < (int)SIM_PER_POLICY && k < (int)s->o.witnesses; k++) {
		int w = (start + k) % (int)s->o.witnesses;
		if (w == home - 1)
			continue;
		if (w == witness)
			return true;
		taken++;
	}
	return false;
}

static inline void policy_text(const struct sim *s, int home, struct buf *out)
{
	static const char *const region[SIM_GROUPS] = { "north", "east", "south" };

	for (int w = 0; w < (int)s->o.witnesses; w++) {
		if (!policy_names(s, home, w))
			continue;
		buf_add_format(out, "witness w%02d ", w);
		note_key_write(&s->witness[w].public, out);
		buf_add_format(out, " https://%s.example\n", s->home[w + 1].code);
	}
	/* Of each region more than half, and of the regions two: any two quorums have a witness in common. */
	for (int r = 0; r < (int)SIM_GROUPS; r++) {
		int members = 0;
		for (int w = r; w < (int)s->o.witnesses; w += (int)SIM_GROUPS)
			members += policy_names(s, home, w);
		buf_add_format(out, "group %s %d", region[r], members / 2 + 1);
		for (int w = r; w < (int)s->o.witnesses; w += (int)SIM_GROUPS)
			if (policy_names(s, home, w))
				buf_add_format(out, " w%02d", w);
		buf_add_text(out, "\n");
	}
	buf_add_text(out, "group regions 2 north east south\nquorum regions\n");
}

static inline void policy_state(struct sim *s, int home, int64_t from_ms)
{
	uint8_t hash[SHA256_BYTES];
	AUTO_BUF text = { 0 }, warnings = { 0 };

	buf_init(&text, POLICY_BYTES_MAX);
	buf_init(&warnings, 64 * KIB);
	policy_text(s, home, &text);
	IN(&s->home[0].h, directory_policy(s->home[0].h.node, bytes_of(s->home[home].code), buf_bytes(&text), SIM_PROOF_AGE_S, from_ms,
					   hash, &warnings, e));
	assert_int_equal(warnings.len, 0);
}

static inline void entry_state(struct sim *s, int i)
{
	struct world w = { .xs = s->home[0].h };

	admit(&w, &s->home[i].h);
}

static inline bool register_publish(struct sim *s)
{
	struct home *xs = &s->home[0].h;
	struct err why = { 0 };
	size_t entries;
	uint64_t size;

	assert_ok(node_begin(xs->node, e));
	bool ok = directory_publish(xs->node, &entries, &size, &why);
	if (!ok) {
		node_rollback(xs->node);
		return false;
	}
	assert_ok(node_commit(xs->node, e));
	buf_clear(&s->bundle);
	assert_ok(directory_bundle(xs->node, &s->bundle, e));
	s->bundle_time = register_time(xs->node->reg);
	assert_ok(register_load(s->public, buf_bytes(&s->bundle), s->fingerprint, the_time, NULL, e));
	return true;
}

static inline void register_take(struct sim *s, int i)
{
	size_t entries;

	if (register_time(s->home[i].h.node->reg) == s->bundle_time)
		return;
	IN(&s->home[i].h, directory_take(s->home[i].h.node, buf_bytes(&s->bundle), &entries, NULL, e));
	assert_int_equal(entries, s->homes - 1);
	s->counts.registers++;
}

/* --- the beginning ------------------------------------------------------------------------------------------------ */

static inline void root_begin(struct sim *s, struct buf *root, uint8_t fingerprint[static SHA256_BYTES])
{
	struct world w = { .xs = s->home[0].h };

	for (size_t i = 0; i < 3; i++)
		w.roots[i] = s->roots[i] = sign_key_new();
	world_root(&w, root, fingerprint);
}

static inline void register_slot(struct sim *s)
{
	the_time += SIM_SLOT_MS;
	assert_ok(node_slot(s->home[0].h.node, the_time, e));
	s->home[0].slots++;
	assert_true(register_publish(s));
}

/* Policies are in force as soon as they are stated: what carries them to everybody has its quorum itself. */
static inline void register_cosign(struct sim *s)
{
	struct home *xs = &s->home[0].h;
	bool found = true;

	while (found) {
		struct cosigning_ask ask;
		AUTO_BUF answer = { 0 };

		buf_init(&answer, NOTE_BYTES_MAX);
		IN(xs, cosigning_next(xs->node, the_time, &ask, &found, e));
		if (found) {
			unsigned status = witness_asked(s, witness_by_url(s, ask.url), buf_bytes(&ask.body), &answer);
			IN(xs, cosigning_answered(xs->node, ask.number, true, status, buf_bytes(&answer), "", the_time, e));
		}
		buf_release(&ask.body);
	}
	assert_true(register_publish(s));
}

static inline void register_begin(struct sim *s, struct bytes root)
{
	struct home *xs = &s->home[0].h;
	uint8_t told[SHA256_BYTES];
	int64_t version;

	IN(xs, directory_root(xs->node, root, &version, told, e));
	for (size_t i = 1; i < s->homes; i++)
		entry_state(s, (int)i);
	register_slot(s);
	for (size_t i = 0; i < s->homes; i++)
		policy_state(s, (int)i, 0);
	register_slot(s);
	register_cosign(s);
	for (size_t i = 1; i < s->homes; i++)
		register_take(s, (int)i);
}

static inline void sim_begin(struct sim *s, const struct sim_options *o)
{
	char hex[2 * SHA256_BYTES + 1];
	AUTO_BUF root = { 0 };

	memset(s, 0, sizeof(*s));
	s->o = *o;
	s->homes = o->parties + 1;
	s->dice.state = o->seed;
	buf_init(&root, ENVELOPE_BYTES_MAX);
	buf_init(&s->bundle, REGISTER_BYTES_MAX);
	s->public = register_new();
	time_begins(o->seed);
	/* Over the end of a quarter, when closings are said. */
	assert_true(time_parse(bytes_of("2027-01-01T00:00:00.000Z"), &the_time));
	the_time -= (int64_t)(o->days * 0.7 * (double)DAY_MS);
	for (size_t i = 0; i < s->homes; i++)
		sim_home_begin(s, (int)i);
	for (size_t w = 0; w < o->witnesses; w++) {
		witness_begin(s, (int)w);
		s->witness[w].skew = sim_roll(s, -3000, 3000);
	}
	root_begin(s, &root, s->fingerprint);
	hex_write(BYTES_ARRAY(s->fingerprint), hex);
	for (size_t i = 0; i < s->homes; i++) {
		set(&s->home[i].h, CONFIG_trust_root, hex);
		home_write(&s->home[i].h);
		identity_rewrite(s, (int)i);
		home_open(&s->home[i].h);
	}
	for (enum cheat c = CHEAT_NONE + 1; o->cheats && c < CHEATS; c++)
		s->home[home_of_cheat(s, c)].cheat = c;
	register_begin(s, buf_bytes(&root));
	s->begin = s->now = the_time;
	s->end = s->begin + o->days * DAY_MS;
}

static inline void sim_end(struct sim *s)
{
	for (size_t i = 0; i < s->homes; i++)
		home_end(&s->home[i].h);
	for (size_t w = 0; w < s->o.witnesses; w++) {
		sign_key_free(s->witness[w].key);
		for (size_t i = 0; i < s->homes; i++)
			buf_release(&s->witness[w].seen[i].note);
	}
	for (size_t i = 0; i < 3; i++)
		sign_key_free(s->roots[i]);
	buf_release(&s->bundle);
	register_free(s->public);
	free(s->queue.at);
	free(s->letter);
}

#endif
