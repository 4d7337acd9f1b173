/* Bundles: written at the secretariat, believed here. The bundle as a whole is believed when its trust
 * roots lead from the fingerprint to a key that signed the snapshot, and to a log key whose checkpoint
 * has the snapshot's size and root. Each entry then stands or falls by itself: signed by the register's
 * key, listed in the snapshot, under the checkpoint. What falls is told in `problems` and left out, and
 * so are both of two entries with the same party or the same key: nobody may stand in for another. A
 * bundle that replaces an older one does so as a whole or not at all; an older one never replaces. */
#include "register/register.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "log/leaf.h"
#include "log/tlog-proof.h"
#include "register/judge.h"
#include "register/register-internal.h"

#define BUNDLE_VERSION 1
#define BUNDLE_MEMBERS 5u

/* What the snapshot lists. */
struct listed {
	uint8_t hash[SHA256_BYTES];
	bool seen, taken;
};

/* One bundle on its way in. */
struct load {
	struct trust trust;
	struct checkpoint checkpoint;
	struct bundle_head head;
	struct buf note;
	struct listed *listed;
	size_t listed_count;
	struct listed *listed_policies;
	size_t listed_policy_count;
	struct policies policies;         /* owned until they stand in the register */
	struct party *fresh[PARTIES_MAX]; /* owned until they stand in the register */
	bool refused[PARTIES_MAX];        /* as in fresh */
	size_t fresh_count;
	size_t missing;
	char left_out[PARTIES_MAX][PARTY_CODE_LEN_MAX + 1];
	size_t left_out_count;
	struct checkpoint_cache *cache;
	struct buf *problems;
};

static void load_release(struct load *l)
{
	for (size_t i = 0; i < l->fresh_count; i++)
		party_free(l->fresh[i]);
	policies_release(&l->policies);
	buf_release(&l->note);
	checkpoint_cache_free(l->cache);
	free(l->listed);
	free(l->listed_policies);
}

/* One line; what comes from outside is made printable. */
static void problem(struct load *l, const char *who, const char *text)
{
	if (l->problems == NULL)
		return;
	text_printable(bytes_of(who), l->problems);
	buf_add_text(l->problems, ": ");
	text_printable(bytes_of(text), l->problems);
	buf_add_text(l->problems, "\n");
}

static void leave_out(struct load *l, const char *code)
{
	for (size_t i = 0; i < l->left_out_count; i++)
		if (strcmp(l->left_out[i], code) == 0)
			return;
	if (l->left_out_count < PARTIES_MAX)
		snprintf(l->left_out[l->left_out_count++], sizeof(l->left_out[0]), "%.*s", PARTY_CODE_LEN_MAX, code);
}

/* --- the bundle as a whole --------------------------------------------------------------------- */

static bool read_list(const json_t *body, const char *member, size_t max, struct listed **ret, size_t *ret_count, struct err *e)
{
	const json_t *list = json_object_get(body, member);
	size_t n = json_array_size(list);

	if ((list != NULL && !json_is_array(list)) || n > max)
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "the snapshot does not list at most %zu %s", max, member);
	*ret = calloc(n + 1, sizeof(**ret));
	if (*ret == NULL)
		abort();
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);

		if (!json_is_string(v) || !hex_parse(bytes_from(json_string_value(v), json_string_length(v)),
						     (*ret)[i].hash, SHA256_BYTES))
			return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "%s[%zu] of the snapshot is no hash", member, i);
	}
	*ret_count = n;
	return true;
}

/* The snapshot and the checkpoint speak of the same tree. */
static bool read_snapshot(const json_t *v, int64_t now_ms, struct load *l, struct err *e)
{
	const struct checkpoint *cp = &l->checkpoint;
	AUTO_ENVELOPE env = { 0 };
	AUTO_STATEMENT *s = NULL;
	uint8_t root[SHA256_BYTES];
	const char *origin, *time;
	int64_t size, clock = clock_now_ms();

	if (!signed_statement(v, "register-snapshot", &env, &s, e))
		return err_note(e, "snapshot");
	if (env.signature_count != 1 || !envelope_signed_by(&env, l->trust.register_key))
		return err_set(e, ERR_REJECTED, REASON_BAD_SIGNATURE, "the snapshot is not signed by the register's key");
	if (!json_must_text(s->body, "origin", &origin, e) || !json_must_text(s->body, "time", &time, e) ||
	    !json_must_int(s->body, "size", 0, INT64_MAX, &size, e) ||
	    !json_must_hex(s->body, "root", root, sizeof(root), e))
		return err_note(e, "snapshot");
	if (!time_parse(bytes_of(time), &l->head.time))
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "the snapshot's time is no time");
	if (l->head.time > (clock > now_ms ? clock : now_ms) + REGISTER_AHEAD_MS)
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "the snapshot is dated in the future");
	snprintf(l->head.party, sizeof(l->head.party), "%.*s", PARTY_CODE_LEN_MAX, s->from);
	if (strcmp(origin, cp->origin) != 0 || (uint64_t)size != cp->size || memcmp(root, cp->root, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "snapshot and checkpoint are of different trees");
	return read_list(s->body, "entries", PARTIES_MAX, &l->listed, &l->listed_count, e) &&
	       read_list(s->body, "policies", POLICIES_MAX, &l->listed_policies, &l->listed_policy_count, e);
}

static bool read_whole(const json_t *v, const uint8_t *root, int64_t now_ms, struct load *l, struct err *e)
{
	const char *note;
	int64_t version;

	if (json_array_size(json_object_get(v, "entries")) > PARTIES_MAX + POLICIES_MAX)
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "it holds more than %u entries and policies",
			       PARTIES_MAX + POLICIES_MAX);
	if (json_object_size(v) != BUNDLE_MEMBERS || !json_is_array(json_object_get(v, "entries")) ||
	    !json_must_int(v, "v", BUNDLE_VERSION, BUNDLE_VERSION, &version, e) || !json_must_text(v, "checkpoint", &note, e))
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER,
			       "a bundle has checkpoint, entries, roots, snapshot and v %d, and nothing else", BUNDLE_VERSION);
	if (!trust_follow(json_object_get(v, "roots"), root, now_ms, &l->trust, l->head.fingerprint, e))
		return false;
	if (!checkpoint_verify(bytes_of(note), &l->trust.log_key, &l->checkpoint, e))
		return err_note(e, "checkpoint");
	if (!read_snapshot(json_object_get(v, "snapshot"), now_ms, l, e))
		return false;
	if (json_array_size(json_object_get(v, "entries")) > PARTIES_MAX + l->listed_policy_count)
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "it holds more than %u entries", PARTIES_MAX);
	buf_add_text(&l->note, note);
	if (!buf_check(&l->note, "checkpoint", e))
		return false;
	memcpy(l->head.origin, l->checkpoint.origin, sizeof(l->head.origin));
	memcpy(l->head.tree, l->checkpoint.root, SHA256_BYTES);
	l->head.log_key = l->trust.log_key;
	memcpy(l->head.register_key, l->trust.register_key, SIGN_PUBLIC_BYTES);
	l->head.size = l->checkpoint.size;
	l->head.root_version = l->trust.version;
	memcpy(l->head.root_hash, l->trust.hash, SHA256_BYTES);
	return true;
}

static bool forks(const struct bundle_head *a, const struct bundle_head *b)
{
	return (strcmp(a->origin, b->origin) == 0 && a->size == b->size && memcmp(a->tree, b->tree, SHA256_BYTES) != 0) ||
	       (a->root_version == b->root_version && memcmp(a->root_hash, b->root_hash, SHA256_BYTES) != 0);
}

/* Against the bundle in use: a register only grows (nobody can bring back a key that was withdrawn). */
static bool is_newer(const struct register_ *r, const struct bundle_head *h, struct err *e)
{
	const struct bundle_head *now = &r->head;

	if (!r->has_bundle)
		return true;
	if (memcmp(h->fingerprint, now->fingerprint, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_ROOT_MISMATCH, "it has another trust root than the register in use");
	if (forks(h, now))
		return err_set(e, ERR_REJECTED, REASON_INCONSISTENT,
			       "the register has two histories (root version %lld, size %llu): keep both bundles as evidence",
			       (long long)h->root_version, (unsigned long long)h->size);
	if (h->root_version < now->root_version || h->time < now->time ||
	    (strcmp(h->origin, now->origin) == 0 && h->size < now->size))
		return err_set(e, ERR_REJECTED, REASON_STALE_REGISTER, "it is older than the register in use");
	return true;
}

bool register_newer(const struct register_ *new, const struct register_ *in_use, struct err *e)
{
	if (in_use == NULL || !in_use->has_bundle)
		return true;
	if (!new->has_bundle)
		return err_set(e, ERR_REJECTED, REASON_STALE_REGISTER, "pins alone do not replace the register in use");
	return is_newer(in_use, &new->head, e) || err_note(e, "the register's bundle");
}

/* --- one entry --------------------------------------------------------------------------------- */

static bool check_listed(const struct act *a, struct listed *listed, size_t count, struct listed **ret, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (memcmp(listed[i].hash, a->statement->hash, SHA256_BYTES) != 0)
			continue;
		if (listed[i].seen)
			return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "it stands in the bundle twice");
		listed[i].seen = true;
		*ret = &listed[i];
		return true;
	}
	return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "the snapshot does not list it");
}

static bool check_entry(const struct act *a, bool is_policy, struct load *l, struct listed **ret, struct err *e)
{
	uint8_t leaf[LEAF_V1_BYTES];
	struct checkpoint cp;
	uint64_t index;

	if (!is_policy && strcmp(a->statement->kind->name, "register-entry") != 0)
		return err_set(e, ERR_REJECTED, REASON_UNKNOWN_KIND, "it is a %s", a->statement->kind->name);
	if (a->envelope.signature_count != 1 || !envelope_signed_by(&a->envelope, l->trust.register_key))
		return err_set(e, ERR_REJECTED, REASON_BAD_SIGNATURE, "it is not signed by the register's key");
	if (!check_listed(a, is_policy ? l->listed_policies : l->listed, is_policy ? l->listed_policy_count : l->listed_count,
			  ret, e))
		return false;
	judge_leaf(a->statement, a->opening, a->x, false, leaf);
	if (!bytes_equal(a->leaf, BYTES_ARRAY(leaf)))
		return err_set(e, ERR_REJECTED, REASON_LEAF_MISMATCH, "its leaf does not rebuild");
	if (!tlog_proof_check(a->proof, a->leaf, &l->trust.log_key, l->cache, &cp, &index, e))
		return false;
	if (cp.size != l->checkpoint.size || memcmp(cp.root, l->checkpoint.root, SHA256_BYTES) != 0)
		return err_set(e, ERR_REJECTED, REASON_BAD_PROOF, "it is proved under another checkpoint than the bundle's");
	return true;
}

static bool take_policy(const struct act *a, struct load *l, struct err *e)
{
	const struct statement *s = a->statement;
	struct listed *listed;

	if (!check_entry(a, true, l, &listed, e) || !policies_add(&l->policies, s->body, s->hash, s->time, e))
		return false;
	listed->taken = true;
	return true;
}

static bool take_entry(const json_t *v, struct load *l, char who[static 64], struct err *e)
{
	AUTO_ACT *a = NULL;
	struct listed *listed = NULL;
	struct party *p;
	const char *code;

	if (!act_parse_json(v, &a, e))
		return false;
	if (strcmp(a->statement->kind->name, "register-policy") == 0)
		return take_policy(a, l, e);
	if (l->fresh_count == PARTIES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "there are more than %u parties", PARTIES_MAX);
	code = json_text(a->statement->body, "code");
	snprintf(who + strlen(who), 64 - strlen(who), " (%.*s)", PARTY_CODE_LEN_MAX, code);
	if (!check_entry(a, false, l, &listed, e) || !party_from_json(a->statement->body, &p, e)) {
		leave_out(l, code);
		return false;
	}
	listed->taken = true;
	memcpy(p->entry_hash, a->statement->hash, SHA256_BYTES);
	l->fresh[l->fresh_count++] = p;
	return true;
}

static void take_entries(const json_t *list, struct load *l)
{
	char who[64], hex[2 * SHA256_BYTES + 1];

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct err e = { 0 };

		snprintf(who, sizeof(who), "entry %zu", i + 1);
		if (!take_entry(json_array_get(list, i), l, who, &e))
			problem(l, who, e.text);
	}
	for (size_t i = 0; i < l->listed_count; i++) {
		l->missing += !l->listed[i].taken;
		if (l->listed[i].seen)
			continue;
		hex_write(BYTES_ARRAY(l->listed[i].hash), hex);
		problem(l, hex, "the snapshot lists this entry, and the bundle holds none that is true");
	}
}

/* Whoever leaves out a policy would lower what proofs have to show. */
static bool policies_complete(const struct load *l, struct err *e)
{
	char hex[2 * SHA256_BYTES + 1];

	for (size_t i = 0; i < l->listed_policy_count; i++) {
		if (l->listed_policies[i].taken)
			continue;
		hex_write(BYTES_ARRAY(l->listed_policies[i].hash), hex);
		return err_set(e, ERR_REJECTED, REASON_BAD_REGISTER, "the snapshot lists the policy %s, and the bundle holds none that is true",
			       hex);
	}
	return true;
}

/* --- between entries --------------------------------------------------------------------------- */

static void refuse(struct load *l, const struct party *p, const char *text)
{
	for (size_t i = 0; i < l->fresh_count; i++) {
		if (l->fresh[i] != p)
			continue;
		l->refused[i] = true;
		leave_out(l, p->code);
		problem(l, p->code, text);
	}
}

static void refuse_same_code(const struct register_ *r, struct load *l)
{
	for (size_t i = 0; i < l->fresh_count; i++) {
		const struct party *p = l->fresh[i];
		const struct party *pinned = register_party(r, bytes_of(p->code));
		bool twice = false;

		for (size_t j = 0; j < l->fresh_count; j++)
			twice = twice || (j != i && strcmp(l->fresh[j]->code, p->code) == 0);
		if (twice)
			refuse(l, p, "the bundle has two entries for this party; neither is used");
		else if (pinned != NULL && pinned->pinned)
			refuse(l, p, "this party is pinned; the bundle's entry is not used");
	}
}

static int compare_held(const void *a, const void *b)
{
	return memcmp(((const struct party_held *)a)->key, ((const struct party_held *)b)->key, SIGN_PUBLIC_BYTES);
}

static void refuse_pair(struct load *l, const struct party_held *a, const struct party_held *b)
{
	char text[128];

	snprintf(text, sizeof(text), "its %s is also the %s of %.*s; the entry is not used", a->what, b->what,
		 PARTY_CODE_LEN_MAX, b->party->code);
	refuse(l, a->party, text);
}

/* Sorted, so that equal keys are neighbours. Entries of one code were judged before. */
static void refuse_same_key(const struct register_ *r, struct load *l)
{
	struct party_held *held = calloc(r->count + l->fresh_count + 1, PARTY_HELD_MAX * sizeof(*held));
	size_t n = 0;

	if (held == NULL)
		abort();
	for (size_t i = 0; i < r->count; i++)
		n += r->parties[i]->pinned ? party_all_keys(r->parties[i], held + n) : 0;
	for (size_t i = 0; i < l->fresh_count; i++)
		n += party_all_keys(l->fresh[i], held + n);
	qsort(held, n, sizeof(*held), compare_held);
	for (size_t i = 1; i < n; i++) {
		if (compare_held(&held[i - 1], &held[i]) != 0 ||
		    strcmp(held[i - 1].party->code, held[i].party->code) == 0)
			continue;
		refuse_pair(l, &held[i - 1], &held[i]);
		refuse_pair(l, &held[i], &held[i - 1]);
	}
	free(held);
}

/* Nothing here can fail any more: what was in use gives way to what is new. */
static void replace(struct register_ *r, struct load *l)
{
	struct err e = { 0 };

	for (size_t i = r->count; i-- > 0;) {
		if (!r->parties[i]->pinned)
			register_remove(r, i);
	}
	for (size_t i = 0; i < l->fresh_count; i++) {
		if (l->refused[i])
			continue;
		if (register_insert(r, l->fresh[i], &e))
			l->fresh[i] = NULL;
		else
			problem(l, l->fresh[i]->code, e.text);
	}
	policies_release(&r->policies);
	r->policies = l->policies;
	l->policies = (struct policies){ 0 };
	r->has_bundle = true;
	r->head = l->head;
	buf_release(&r->note);
	r->note = l->note;
	l->note = (struct buf){ 0 };
	r->missing = l->missing;
	memcpy(r->left_out, l->left_out, sizeof(r->left_out));
	r->left_out_count = l->left_out_count;
}

static bool load_bundle(struct register_ *r, struct bytes bundle, const uint8_t *root, int64_t now_ms, struct load *l,
			struct err *e)
{
	AUTO_JSON *v = NULL;

	if (bundle.len > REGISTER_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "it is over its limit of %u bytes", REGISTER_BYTES_MAX);
	if (!json_parse_canonical(bundle, "JSON", &v, e) || !read_whole(v, root, now_ms, l, e) || !is_newer(r, &l->head, e))
		return false;
	take_entries(json_object_get(v, "entries"), l);
	if (!policies_complete(l, e))
		return false;
	refuse_same_code(r, l);
	refuse_same_key(r, l);
	replace(r, l);
	return true;
}

bool register_load(struct register_ *r, struct bytes bundle, const uint8_t *root, int64_t now_ms, struct buf *problems,
		   struct err *e)
{
	struct load *l = calloc(1, sizeof(*l));
	struct err inner = { 0 };
	bool ok;

	if (l == NULL)
		abort();
	l->problems = problems;
	l->cache = checkpoint_cache_new();
	buf_init(&l->note, NOTE_BYTES_MAX);
	ok = load_bundle(r, bundle, root, now_ms, l, &inner);
	load_release(l);
	free(l);
	/* Whatever it was in detail, to the caller this bundle is not to be believed. */
	if (inner.reason != REASON_ROOT_MISMATCH && inner.reason != REASON_INCONSISTENT)
		inner.reason = REASON_BAD_REGISTER;
	return ok || err_set(e, ERR_REJECTED, inner.reason, "the register's bundle: %s", inner.text);
}

/* --- at the secretariat ------------------------------------------------------------------------ */

static bool put_list(json_t *v, const char *key, const struct bytes *items, size_t n, struct err *e)
{
	json_t *list = json_array(), *item;

	json_put(v, key, list);
	for (size_t i = 0; i < n; i++) {
		if (!json_parse_canonical(items[i], key, &item, e))
			return err_note(e, "%s[%zu]", key, i);
		if (json_array_append_new(list, item) != 0)
			abort();
	}
	return true;
}

bool register_bundle_write(const struct bytes *roots, size_t root_count, struct bytes snapshot, struct bytes checkpoint,
			   const struct bytes *entries, size_t entry_count, struct buf *out, struct err *e)
{
	AUTO_JSON *v = json_object();
	json_t *item;

	if (!utf8_is_valid(checkpoint) || bytes_find(checkpoint, 0) != checkpoint.len)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "the checkpoint is no text");
	if (!put_list(v, "roots", roots, root_count, e) || !put_list(v, "entries", entries, entry_count, e) ||
	    !json_parse_canonical(snapshot, "snapshot", &item, e))
		return false;
	json_put(v, "snapshot", item);
	json_put_bytes(v, "checkpoint", checkpoint);
	json_put_int(v, "v", BUNDLE_VERSION);
	return json_write_canonical(v, out, e);
}
