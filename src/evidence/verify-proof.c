/* A proof is looked at from the inside out: which statement it says it is of and whether the leaf rebuilds from that; whether
 * the leaf stands under the checkpoint; then, as far as the reader gave something to judge by, who signed the
 * checkpoint. What could not be checked is told, and is no success. */
#include "evidence/verify-proof.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "evidence/verify-internal.h"
#include "log/leaf.h"

#define EXTRA_MEMBERS 5u

/* --- the extra line ------------------------------------------------------------------------------- */

bool proof_extra_add(struct bytes proof, const struct proof_extra *x, struct buf *out, struct err *e)
{
	AUTO_JSON *v = json_object();
	struct tlog_proof p;
	AUTO_BUF text = { 0 }, line = { 0 };

	buf_init(&text, PROOF_EXTRA_BYTES_MAX);
	buf_init(&line, 2 * PROOF_EXTRA_BYTES_MAX);
	if (!tlog_proof_parse(proof, &p, e))
		return false;
	json_put_hex(v, "hash", BYTES_ARRAY(x->hash));
	json_put_text(v, "kind", x->kind);
	json_put_bytes(v, "leaf", BYTES_ARRAY(x->leaf));
	json_put_hex(v, "opening", BYTES_ARRAY(x->opening));
	json_put_text(v, "time", x->time);
	if (!json_write_canonical(v, &text, e) || !buf_check(&text, "what the proof is of", e))
		return false;
	base64_write(buf_bytes(&text), true, &line);
	if (!buf_check(&line, "what the proof is of", e))
		return false;
	p.extra = buf_bytes(&line);
	tlog_proof_write(&p, out);
	return buf_check(out, "the proof", e);
}

/* The commitment to the act, which is what a proof is about. The cross-log secret is not in the file: with it, whoever gets
 * the file would find the leaf of the same act in the other party's log. */
static bool rebuilds(const struct proof_extra *x)
{
	static const uint8_t no_secret[32];
	struct leaf_class none = { .act_class = bytes_of(""), .basis = bytes_of(""), .week = bytes_of("") };
	uint8_t made[LEAF_V1_BYTES], c[2][32], k[2][32], t[2][32];

	leaf_write(x->hash, &none, x->opening, no_secret, LEAF_OUT, made);
	return leaf_parse(BYTES_ARRAY(x->leaf), c[0], k[0], t[0], NULL) && leaf_parse(BYTES_ARRAY(made), c[1], k[1], t[1], NULL) &&
	       memcmp(c[0], c[1], 32) == 0;
}

bool proof_extra_parse(const struct tlog_proof *p, struct proof_extra *ret, struct err *e)
{
	struct proof_extra x = { .kind = "" };
	struct bytes leaf;
	const char *kind, *time;
	int64_t ms;
	AUTO_JSON *v = NULL;
	AUTO_BUF text = { 0 };

	buf_init(&text, PROOF_EXTRA_BYTES_MAX);
	if (p->extra.len == 0)
		return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "it does not say which statement it is of (no extra line)");
	if (!base64_parse(p->extra, true, &text) || !json_parse_canonical(buf_bytes(&text), "the extra line", &v, e))
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "its extra line is not base64 of our JSON");
	leaf = json_bytes(v, "leaf");
	if (json_object_size(v) != EXTRA_MEMBERS || leaf.len != LEAF_V1_BYTES || !json_must_hex(v, "hash", x.hash, sizeof(x.hash), e) ||
	    !json_must_hex(v, "opening", x.opening, sizeof(x.opening), e) ||
	    !json_must_text(v, "kind", &kind, e) || !json_must_text(v, "time", &time, e) || !time_parse(bytes_of(time), &ms) ||
	    kind_find(bytes_of(kind)) == NULL)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "its extra line has not hash, kind, leaf, opening and time");
	memcpy(x.leaf, leaf.at, sizeof(x.leaf));
	snprintf(x.kind, sizeof(x.kind), "%s", kind);
	snprintf(x.time, sizeof(x.time), "%s", time);
	if (!rebuilds(&x))
		return err_set(e, ERR_REJECTED, REASON_LEAF_MISMATCH, "the leaf does not rebuild from the statement's hash");
	*ret = x;
	return true;
}

/* --- the report ------------------------------------------------------------------------------------ */

struct look {
	const struct verify_proof_options *o;
	json_t *report, *checks, *unchecked, *broken, *cosigned;
	struct buf in; /* the proof file */
	struct tlog_proof proof;
	struct note note;
	struct checkpoint checkpoint;
	struct proof_extra extra;
	bool knows_what;      /* extra is there and rebuilds */
	bool has_statement;
	int64_t statement_ms; /* its own time, when the statement was given and is the one */
	bool confirmed;       /* by a fingerprint or a key that the reader gave */
	bool unusable;        /* what the reader gave to judge by: that says nothing about the proof */
};

static void add(json_t *list, json_t *taken)
{
	if (json_array_append_new(list, taken) != 0)
		abort();
}

static void say(json_t *list, const char *text)
{
	add(list, json_string(text));
}

static void is_broken(struct look *l, const struct err *e)
{
	json_t *row = json_object();
	AUTO_BUF text = { 0 };

	buf_init(&text, 64 * KIB);
	text_printable(bytes_of(e->text), &text);
	json_put_text(row, "reason", reason_code(e->reason));
	json_put_text(row, "text", buf_text(&text));
	add(l->broken, row);
}

static bool read_at(const char *path, size_t max, struct buf *out, struct err *e)
{
	buf_init(out, max);
	return file_read(AT_FDCWD, path, out, e);
}

/* A file that the reader gave beside the proof. */
static bool given(struct look *l, const char *path, size_t max, struct buf *out, struct err *e)
{
	l->unusable = !read_at(path, max, out, e);
	return !l->unusable;
}

/* --- what the file alone shows ------------------------------------------------------------------------ */

static bool look_inside(struct look *l, struct err *e)
{
	merkle_hash leaf;

	json_put_text(l->report, "origin", l->checkpoint.origin);
	json_put_int(l->report, "index", (int64_t)l->proof.index);
	json_put_int(l->report, "size", (int64_t)l->checkpoint.size);
	if (l->proof.extra.len == 0) {
		say(l->unchecked, "the file does not say which statement it is of: comity log check takes it with the leaf");
		return true;
	}
	if (!proof_extra_parse(&l->proof, &l->extra, e))
		return false;
	merkle_leaf(BYTES_ARRAY(l->extra.leaf), leaf);
	if (!merkle_check_inclusion(l->proof.index, l->checkpoint.size, leaf, (const merkle_hash *)l->proof.hashes, l->proof.hash_count,
				    l->checkpoint.root, e))
		return false;
	l->knows_what = true;
	json_put_hex(l->report, "hash", BYTES_ARRAY(l->extra.hash));
	json_put_text(l->report, "said_kind", l->extra.kind);
	json_put_text(l->report, "said_time", l->extra.time);
	say(l->checks, "the leaf rebuilds from the statement's hash, and stands under the checkpoint");
	return true;
}

/* The statement itself: then its time is more than hearsay. */
static bool look_at_statement(struct look *l, struct err *e)
{
	AUTO_BUF in = { 0 };
	AUTO_ACT *act = NULL;
	AUTO_ENVELOPE env = { 0 };
	AUTO_STATEMENT *alone = NULL;
	const struct statement *s;

	if (!given(l, l->o->statement_path, LETTER_BYTES_MAX, &in, e))
		return false;
	if (act_parse(buf_bytes(&in), &act, NULL))
		s = act->statement;
	else if (envelope_parse(buf_bytes(&in), &env, e) && statement_parse(bytes_of(env.type), buf_bytes(&env.payload), &alone, e))
		s = alone;
	else
		return l->unusable = true, err_note(e, "%s", l->o->statement_path);
	if (!l->knows_what)
		return true;
	if (memcmp(s->hash, l->extra.hash, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_DIGEST_MISMATCH, "the proof is of another statement than the one given");
	l->has_statement = true;
	l->statement_ms = s->time;
	json_put_text(l->report, "statement_kind", s->kind->name);
	json_put_time(l->report, "statement_time", s->time);
	say(l->checks, "it is of the statement that was given");
	return true;
}

/* --- who says so --------------------------------------------------------------------------------------- */

/* Names and times of the witnesses that signed, of any policy for this log. */
static void tell_cosigned(struct look *l, const struct register_ *r, const struct party *p)
{
	AUTO_JSON *seen = json_object();

	for (size_t i = register_policy_count(r); i-- > 0;) {
		const struct register_policy *policy = register_policy_at(r, i);

		for (size_t k = 0; strcmp(policy->party, p->code) == 0 && k < policy_witness_count(policy->policy); k++) {
			const struct policy_witness *w = policy_witness_at(policy->policy, k);
			int64_t time_s;
			json_t *row;

			if (json_bool(seen, w->key.name) || party_holds((struct party *)(uintptr_t)p, &w->key) ||
			    !cosignature_verify(&l->note, &w->key, &time_s, NULL))
				continue;
			json_put_bool(seen, w->key.name, true);
			row = json_object();
			json_put_text(row, "name", w->key.name);
			json_put_time(row, "time", time_s * 1000);
			add(l->cosigned, row);
		}
	}
}

static bool asks_witnesses(const struct register_ *r, const struct party *p)
{
	for (size_t i = 0; i < register_policy_count(r); i++)
		if (strcmp(register_policy_at(r, i)->party, p->code) == 0 && !policy_wants_none(register_policy_at(r, i)->policy))
			return true;
	return false;
}

/* Without the statement its time is not known, and any policy that was met in its own time will do; none is too few,
 * because anybody could write an early time into the file. */
static bool judge_it(struct look *l, const struct register_ *r, const struct party *p, struct err *e)
{
	struct judge_question q = { .r = r, .log_of = p, .at_ms = l->has_statement ? l->statement_ms : 0, .when = JUDGE_RECORD };
	struct judgement j;

	if (!l->knows_what) {
		if (!checkpoint_verify(l->proof.note, &p->log_key, &l->checkpoint, e))
			return false;
		say(l->checks, "the log's key signed the checkpoint");
		return true;
	}
	if (!judge_proof(&q, buf_bytes(&l->in), BYTES_ARRAY(l->extra.leaf), &j, e))
		return false;
	if (j.witnesses == 0 && !l->has_statement && asks_witnesses(r, p))
		return err_set(e, ERR_REJECTED, REASON_UNDER_WITNESSED,
			       "its log has a policy, and too few of the witnesses signed; give the statement if it is older than the policy");
	say(l->checks, "the log's key signed the checkpoint");
	json_put_int(l->report, "witnesses", (int64_t)j.witnesses);
	if (j.quorum_ms != 0)
		json_put_time(l->report, "not_later_than", j.quorum_ms);
	tell_cosigned(l, r, p);
	return true;
}

static bool by_key(struct look *l, struct err *e)
{
	struct party *p = calloc(1, sizeof(*p));
	struct register_ *r = register_new();
	AUTO_JSON *body = json_object();
	AUTO_BUF policy = { 0 };
	bool ok;

	if (p == NULL)
		abort();
	*p = (struct party){ .code = "this key" }; /* stands in sentences only */
	ok = note_key_parse(bytes_of(l->o->vkey), &p->log_key, e);
	l->unusable = !ok;
	if (ok && l->o->policy_path != NULL) {
		ok = given(l, l->o->policy_path, POLICY_BYTES_MAX, &policy, e);
		json_put_text(body, "from", "1970-01-01T00:00:00.000Z");
		json_put_int(body, "max_age_s", POLICY_AGE_S_MAX);
		json_put_text(body, "party", p->code);
		json_put_bytes(body, "policy", ok && utf8_is_valid(buf_bytes(&policy)) ? buf_bytes(&policy) : bytes_of(""));
		ok = ok && (register_policy_own(r, body, e) || err_note(e, "%s", l->o->policy_path));
		l->unusable = !ok;
	} else if (ok) {
		say(l->unchecked, "which witnesses must have signed: give --policy FILE, or --register");
	}
	ok = ok && judge_it(l, r, p, e);
	l->confirmed = true;
	register_free(r);
	free(p);
	return ok;
}

static const struct party *party_of_log(const struct register_ *r, const char *origin)
{
	for (size_t i = 0; i < register_count(r); i++) {
		const struct party *p = register_at(r, i);

		if (strcmp(p->log_key.name, origin) == 0)
			return p;
		for (size_t k = 0; k < p->retired_count; k++)
			if (strcmp(p->retired[k].log_key.name, origin) == 0)
				return p;
	}
	return NULL;
}

static bool load_register(struct look *l, struct register_ *r, struct bytes bundle, struct err *e)
{
	for (size_t i = 0; i < l->o->root_count; i++)
		if (register_load(r, bundle, l->o->roots + i * SHA256_BYTES, 0, NULL, e))
			return l->confirmed = true;
	if (l->o->root_count > 0)
		return false;
	say(l->unchecked, "whose register this is: give --root FINGERPRINT, compared over another channel");
	return register_load(r, bundle, NULL, 0, NULL, e);
}

static bool by_register(struct look *l, struct err *e)
{
	struct register_ *r = register_new();
	AUTO_BUF bundle = { 0 };
	const struct party *p = NULL;
	struct err why = { 0 };
	bool ok = given(l, l->o->register_path, REGISTER_BYTES_MAX, &bundle, e) &&
		  (load_register(l, r, buf_bytes(&bundle), &why) ||
		   err_set(e, why.kind, why.reason, "%s: %s", l->o->register_path, why.text));

	/* The proof may be as good as any: it is what was given to judge it by that does not fit. */
	l->unusable = !ok;
	if (!ok && why.reason == REASON_ROOT_MISMATCH)
		(void)err_set(e, ERR_INPUT, REASON_ROOT_MISMATCH, "%s does not have the root given with --root: compare the fingerprint "
			      "again, or get the register that has it; the proof was not judged", l->o->register_path);
	if (ok) {
		p = party_of_log(r, l->checkpoint.origin);
		ok = p != NULL || err_set(e, ERR_REJECTED, REASON_UNKNOWN_KEY, "the register knows no log %.200s", l->checkpoint.origin);
	}
	if (ok) {
		json_put_text(l->report, "party", p->name);
		ok = judge_it(l, r, p, e);
	}
	register_free(r);
	return ok;
}

/* --- as a whole ----------------------------------------------------------------------------------------- */

static json_t *list_put(json_t *report, const char *name)
{
	json_t *list = json_array();

	json_put(report, name, list);
	return list;
}

static void begin(struct look *l)
{
	static const char *const texts[] = { "hash", "said_kind", "said_time", "statement_kind", "statement_time", "origin", "party",
					     "not_later_than" };

	l->report = json_object();
	l->checks = list_put(l->report, "checks");
	l->unchecked = list_put(l->report, "unchecked");
	l->broken = list_put(l->report, "broken");
	l->cosigned = list_put(l->report, "cosigned");
	json_put_text(l->report, "kind", "proof");
	json_put_int(l->report, "witnesses", 0);
	json_put_bool(l->report, "cosignatures_checked", l->o->policy_path != NULL || l->o->register_path != NULL);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		json_put_text(l->report, texts[i], "");
}

/* False only when what the reader gave cannot be used. */
static bool look_at(struct look *l, struct err *unusable)
{
	bool by_something = l->o->vkey != NULL || l->o->register_path != NULL, verified = false;
	struct err e = { 0 };

	if (!look_inside(l, &e))
		is_broken(l, &e);
	else if (l->o->statement_path != NULL && !look_at_statement(l, &e))
		is_broken(l, &e);
	else if (!by_something)
		say(l->unchecked, "who signed the checkpoint: give --register BUNDLE and --root FINGERPRINT, or --key VKEY");
	else if (!(l->o->vkey != NULL ? by_key(l, &e) : by_register(l, &e)))
		is_broken(l, &e);
	else
		verified = l->knows_what;
	/* No hash covers them. */
	if (l->knows_what && !l->has_statement)
		say(l->unchecked, "kind and time as said in the file: give --statement FILE to check them");
	json_put_text(l->report, "result",
		      json_array_size(l->broken) > 0 ? "broken" : !verified ? "not-verified" : l->confirmed ? "intact" : "intact-unconfirmed");
	return !l->unusable || err_set(unusable, ERR_INPUT, e.reason, "%s", e.text);
}

bool verify_proof(const struct verify_proof_options *o, json_t **ret, struct err *e)
{
	struct look *l = calloc(1, sizeof(*l));
	bool ok;

	if (l == NULL)
		abort();
	l->o = o;
	/* What is no proof is no object of a verdict. */
	ok = read_at(o->path, 2 * NOTE_BYTES_MAX, &l->in, e) &&
	     ((tlog_proof_parse(buf_bytes(&l->in), &l->proof, e) && note_parse(l->proof.note, &l->note, e) &&
	       checkpoint_parse(l->note.text, &l->checkpoint, e)) ||
	      err_note(e, "%s", o->path));
	if (ok) {
		begin(l);
		ok = look_at(l, e);
		if (ok)
			*ret = l->report;
		else
			json_decref(l->report);
	}
	buf_release(&l->in);
	free(l);
	return ok;
}

int verify_proof_status(const json_t *report)
{
	const char *result = json_text(report, "result");

	return strcmp(result, "broken") == 0 ? 1 : strcmp(result, "not-verified") == 0 ? 2 : 0;
}
