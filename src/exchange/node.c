/* Opens a home's model and records acts. The order inside node_act is the promise: payload checked
 * and signed, record key, record, leaf and letter in one transaction; nothing is sent or answered
 * before that transaction is durable (design.md part 4). */
#include "exchange/node.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "exchange/cosigning.h"
#include "exchange/directory.h"
#include "exchange/effect.h"
#include "exchange/erase.h"
#include "exchange/key-backup.h"
#include "exchange/lately.h"
#include "exchange/openings.h"
#include "exchange/pair-recover.h"
#include "exchange/parameters.h"
#include "exchange/pending.h"
#include "exchange/record.h"
#include "exchange/slots.h"
#include "log/leaf.h"
#include "register/judge.h"
#include "seal/dsse.h"

const char *node_party(const struct node *n)
{
	return config_text(&n->config, party);
}

bool node_exercise(const struct node *n)
{
	return config_is_exercise(&n->config);
}

bool node_begin(struct node *n, struct err *e)
{
	n->parts = 0;
	return store_begin(n->store, e);
}

bool node_commit(struct node *n, struct err *e)
{
	if (store_commit(n->store, e)) {
		/* What fails here (a full disk) is tried again at the next commit, and at the next start. */
		if (n->scrub_wanted)
			(void)!erase_finish(n, NULL);
		return true;
	}
	(void)!directory_undone(n, NULL); /* rolled back */
	return false;
}

void node_rollback(struct node *n)
{
	store_rollback(n->store);
	(void)!directory_undone(n, NULL);
}

static bool run_plain(struct node *n, enum query_name name, struct err *e)
{
	struct query *q = store_query(n->store, name);
	bool ok = query_run(q, e);

	query_end(q);
	return ok;
}

bool node_part(struct node *n, struct err *e)
{
	if (!run_plain(n, QUERY_savepoint, e))
		return false;
	if (n->parts < NODE_PARTS_MAX)
		n->part_uses[n->parts] = n->register_uses;
	n->parts++;
	return true;
}

/* A part that took no register has none to undo: building one anew for every letter that fails would take long. */
bool node_part_end(struct node *n, bool keep, struct err *e)
{
	bool changed = true;

	if (n->parts > 0)
		n->parts--;
	if (n->parts < NODE_PARTS_MAX)
		changed = n->part_uses[n->parts] != n->register_uses;
	return (keep || run_plain(n, QUERY_savepoint_back, e)) && run_plain(n, QUERY_savepoint_keep, e) &&
	       (keep || !changed || directory_undone(n, e));
}

void node_close(struct node *n)
{
	if (n == NULL)
		return;
	slots_close(n);
	cosigning_free(n->cosigning);
	lately_free(n->lately);
	log_close(n->log);
	store_close(n->store);
	register_free(n->reg);
	treaty_free(n->treaty);
	checkpoint_cache_free(n->checkpoints);
	buf_release(&n->note);
	buf_release(&n->key_copies);
	buf_release(&n->shown);
	free(n->approvers);
	parameters_free(n->parameters);
	openings_free(n->openings);
	wipe(n->null_key, sizeof(n->null_key));
	if (n->blobs_fd >= 0)
		close(n->blobs_fd);
	if (n->log_fd >= 0)
		close(n->log_fd);
	if (n->home_fd >= 0)
		close(n->home_fd);
	free(n);
}

static bool load_people(struct node *n, struct err *e)
{
	AUTO_BUF identity = { 0 }, approvers = { 0 };

	buf_init(&identity, 4 * KIB);
	buf_init(&approvers, APPROVERS_BYTES_MAX);
	n->approvers = calloc(1, sizeof(*n->approvers));
	if (n->approvers == NULL)
		abort();
	return file_read(n->home_fd, "identity", &identity, e) &&
	       identity_parse(buf_bytes(&identity), &n->identity, e) &&
	       file_read(n->home_fd, "approvers", &approvers, e) &&
	       approvers_parse(buf_bytes(&approvers), n->approvers, e);
}

/* What a program before version 2 of the store had queued. */
static bool adopt(struct node *n, struct err *e)
{
	if (!node_begin(n, e))
		return false;
	if (pair_adopt(n, e) && pair_recovery_load(n, e))
		return node_commit(n, e);
	node_rollback(n);
	return false;
}

static bool open_parts(struct node *n, const struct node_options *o, struct err *e)
{
	if (!config_load(n->home_fd, &n->config, e) || !load_people(n, e) || !store_open(n->home_fd, &n->store, e) ||
	    !treaty_load(o->treaties, &n->treaty, e))
		return false;
	n->blobs_fd = openat(n->home_fd, "blobs", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	n->log_fd = openat(n->home_fd, "log", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (n->blobs_fd < 0 || n->log_fd < 0)
		return err_system(e, "home has no blobs/ or log/");
	n->checkpoints = checkpoint_cache_new();
	(void)!key_backup_sweep_home(n, NULL, NULL); /* what cannot go stays, and the next backup says so */
	return key_copies_look(n, e) && erase_reapply(n, e) && adopt(n, e) && slots_open(n, e) && directory_load(n, e) &&
	       parameters_open(n, e) && openings_open(n, e) && pending_open(n, e) && cosigning_open(n, e) && slots_publish(n, clock_now_ms(), e);
}

bool node_open(const struct node_options *o, struct node **ret, struct err *e)
{
	struct node *n = calloc(1, sizeof(*n));

	if (n == NULL)
		abort();
	n->home_fd = o->home_fd;
	n->cosigning = cosigning_new();
	n->lately = lately_new();
	buf_init(&n->note, NOTE_BYTES_MAX);
	buf_init(&n->key_copies, 64 * KIB);
	n->blobs_fd = n->log_fd = -1;
	n->signer = o->signer;
	if (!open_parts(n, o, e)) {
		node_close(n);
		return false;
	}
	*ret = n;
	return true;
}

/* --- acts -------------------------------------------------------------------------------------- */

bool node_payload(struct node *n, const struct own_statement *s, struct id *ret_id, struct buf *payload, struct err *e)
{
	AUTO_JSON *v = json_object();
	json_t *refs = json_array(), *reg = json_object();
	char text[ID_TEXT_LEN + 1];
	struct id id;

	chance_fill(id.at, sizeof(id.at));
	id_write(&id, text);
	for (size_t i = 0; i < s->ref_count; i++) {
		json_t *ref = json_object();
		char ref_id[ID_TEXT_LEN + 1];
		id_write(&s->refs[i].id, ref_id);
		json_put_hex(ref, "hash", bytes_from(s->refs[i].hash, 32));
		json_put_text(ref, "id", ref_id);
		json_array_append_new(refs, ref);
	}
	directory_checkpoint(n, reg);
	json_put_text(v, "authority", config_text(&n->config, authority));
	json_put(v, "body", json_incref(s->body));
	json_put_text(v, "case", s->case_ref);
	json_put_bool(v, "exercise", node_exercise(n));
	json_put_text(v, "from", node_party(n));
	json_put_text(v, "id", text);
	json_put_text(v, "kind", s->kind);
	json_put_text(v, "legal_basis", s->legal_basis);
	json_put(v, "refs", refs);
	json_put(v, "register", reg);
	json_put_time(v, "time", clock_now_ms());
	json_put_text(v, "to", s->to[0] != '\0' ? s->to : node_party(n));
	json_put_int(v, "v", 1);
	json_put_text(v, "via", s->via);
	if (!json_write_canonical(v, payload, e) || !buf_check(payload, s->kind, e))
		return false;
	*ret_id = id;
	return true;
}

static bool outbox_add(struct node *n, const struct statement *s, struct err *e)
{
	struct query *q;
	uint64_t number = 0;

	if (s->kind->leaf && !pair_count(n, s->to, s->hash, &number, e))
		return false;
	q = store_query(n->store, QUERY_outbox_add);
	query_bind_bytes(q, 1, bytes_from(s->hash, 32));
	query_bind_bytes(q, 2, bytes_from(s->id.at, ID_BYTES));
	query_bind_text(q, 3, s->to);
	query_bind_text(q, 4, s->kind->name);
	query_bind_int(q, 5, clock_now_ms());
	query_bind_text(q, 6, s->legal_basis);
	query_bind_int(q, 7, s->time);
	query_bind_int(q, 8, (int64_t)number);
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* The act's canonical JSON: envelope, approvals, our leaf and its opening; the proof comes later. Every part is
 * canonical already, so that it is only put together. */
static bool act_json(const struct statement *s, const uint8_t signature[static 64], struct node *n,
		     const struct bytes *approvals, size_t approval_count, const struct record_keys *keys,
		     struct bytes leaf, struct buf *out, struct err *e)
{
	struct envelope_signature sig;

	key_id_write(n->identity.sign, sig.keyid);
	memcpy(sig.sig, signature, sizeof(sig.sig));
	buf_add_text(out, "{\"approvals\":[");
	for (size_t i = 0; i < approval_count; i++) {
		buf_add_text(out, i > 0 ? "," : "");
		buf_add(out, approvals[i]);
	}
	buf_add_text(out, "],\"envelope\":");
	if (!envelope_write_of(statement_type(s->kind), s->payload, &sig, 1, out, e))
		return false;
	buf_add_text(out, ",\"leaf\":");
	AUTO_JSON *text = json_string_of(leaf);
	if (text == NULL || !json_write_canonical(text, out, e))
		return false;
	/* What has no leaf has no secrets of one. */
	buf_add_text(out, ",\"opening\":\"");
	if (leaf.len > 0)
		buf_add_hex(out, BYTES_ARRAY(keys->opening));
	buf_add_text(out, "\",\"proof\":\"\",\"x\":\"");
	if (leaf.len > 0)
		buf_add_hex(out, BYTES_ARRAY(keys->x));
	buf_add_text(out, "\"}");
	return buf_check(out, "act", e);
}

/* One signed act into the store: record, leaf, letter, effect. */
static bool act_keep(struct node *n, const struct statement *s, const uint8_t signature[static 64], struct act_item *item,
		     struct err *e)
{
	struct record_keys keys = { 0 };
	uint8_t leaf[LEAF_BYTES_MAX];
	struct bytes leaf_bytes = bytes_from(leaf, 0);
	struct record_head h = { .id = s->id, .sender = s->from, .addressee = s->to, .kind = s->kind->name,
				 .case_ref = s->case_ref, .own = true, .request = item->request, .time = s->time,
				 .arrived = clock_now_ms() };
	struct id request;
	AUTO_BUF json = { 0 };

	buf_init(&json, LETTER_BYTES_MAX);
	memcpy(h.hash, s->hash, sizeof(h.hash));
	/* What it says itself decides whose file it belongs to, as at the other end; custody names no request. */
	if (effect_request_of(s, &request))
		h.request = &request;
	bool ok = record_new(n, s->hash, &keys, e);
	if (ok && s->kind->leaf) {
		judge_leaf(s, keys.opening, keys.x, false, leaf);
		leaf_bytes.len = LEAF_V1_BYTES;
		/* Of a letter that came: it counts as the peer's leaves do. */
		bool theirs = bytes_is(bytes_of(s->kind->name), "rejection");
		enum leaf_rank rank = bytes_is(bytes_of(s->kind->name), "page") ? LEAF_RANK_PAGE : theirs ? LEAF_RANK_PEER : LEAF_RANK_OWN;
		ok = record_queue_leaf(n, s, keys.opening, leaf_bytes, rank, theirs ? json_text(s->body, "from") : "", e);
	}
	ok = ok && act_json(s, signature, n, item->approvals, item->approval_count, &keys, leaf_bytes, &json, e) &&
	     record_put(n, &h, &keys, buf_bytes(&json), e) &&
	     (s->kind->to != TO_PEER || bytes_is(bytes_of(s->to), node_party(n)) || outbox_add(n, s, e)) &&
	     effect_apply(n, s, true, e);
	wipe(&keys, sizeof(keys));
	memcpy(item->hash, s->hash, sizeof(item->hash));
	return ok;
}

/* What one act did is undone when it fails: the others stay. */
static bool act_keep_apart(struct node *n, const struct statement *s, const uint8_t signature[static 64],
			   struct act_item *item, struct err *e)
{
	if (!node_part(n, e))
		return false;
	item->ok = act_keep(n, s, signature, item, &item->e);
	return node_part_end(n, item->ok, e);
}

/* Signs all, then keeps each; the statements are parsed once here (or before) and once by the signer. */
bool node_acts(struct node *n, struct act_item *items, size_t count, struct err *e)
{
	struct statement *parsed[LETTER_BATCH_MAX] = { NULL };
	struct signing_item sign[LETTER_BATCH_MAX];
	struct node_signature *signatures = calloc(LETTER_BATCH_MAX, sizeof(*signatures));
	size_t places[LETTER_BATCH_MAX], n_sign = 0;
	bool ok = count <= LETTER_BATCH_MAX || err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u acts at once", LETTER_BATCH_MAX);

	if (signatures == NULL)
		abort();
	/* The signer has its own lock; one that was started again may not know of ours. */
	ok = ok && (!n->locked || err_set(e, ERR_CONFLICT, REASON_LOCKED, "%s", n->locked_why));
	for (size_t i = 0; ok && i < count; i++) {
		const struct kind *k = kind_find(items[i].kind);
		items[i].ok = items[i].parsed != NULL ||
			      (k != NULL ? statement_parse(statement_type(k), items[i].payload, &parsed[i], &items[i].e)
					 : err_set(&items[i].e, ERR_INPUT, REASON_UNKNOWN_KIND, "unknown kind"));
		const struct statement *said = items[i].parsed != NULL ? items[i].parsed : parsed[i];
		items[i].ok = items[i].ok && pair_recovery_allows(n, said->kind, said->body, said->to, &items[i].e);
		if (!items[i].ok)
			continue;
		places[n_sign] = i;
		sign[n_sign++] = (struct signing_item){ .kind = items[i].kind, .payload = items[i].payload,
			.approvals = items[i].approvals, .approval_count = items[i].approval_count,
			.support = items[i].support, .support_count = items[i].support_count };
	}
	ok = ok && (n_sign == 0 || n->signer.sign(n->signer.ctx, sign, n_sign, signatures, e));
	for (size_t j = 0; ok && j < n_sign; j++) {
		struct act_item *item = &items[places[j]];
		const struct statement *s = item->parsed != NULL ? item->parsed : parsed[places[j]];
		item->ok = signatures[j].ok;
		if (!item->ok)
			item->e = signatures[j].e;
		else
			ok = act_keep_apart(n, s, signatures[j].signature, item, e);
	}
	for (size_t i = 0; i < LETTER_BATCH_MAX; i++)
		statement_free(parsed[i]);
	free(signatures);
	return ok;
}

static bool one_act(struct node *n, struct act_item *item, uint8_t ret_hash[static 32], struct err *e)
{
	if (!node_acts(n, item, 1, e))
		return false;
	if (!item->ok) {
		if (e != NULL)
			*e = item->e;
		return false;
	}
	memcpy(ret_hash, item->hash, 32);
	return true;
}

bool node_act(struct node *n, struct act_item *item, uint8_t ret_hash[static 32], struct err *e)
{
	return one_act(n, item, ret_hash, e);
}

bool node_state(struct node *n, const struct own_statement *s, uint8_t ret_hash[static 32], struct err *e)
{
	struct act_item item = { .kind = bytes_of(s->kind), .request = s->request };
	struct id id;
	AUTO_BUF payload = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	if (!node_payload(n, s, &id, &payload, e))
		return false;
	item.payload = buf_bytes(&payload);
	return one_act(n, &item, ret_hash, e);
}

/* Puts the proof that came later in the place of the one that a proof-pending letter travelled with. */
static bool full_proof(struct node *n, const uint8_t *hash, struct buf *act, struct err *e)
{
	AUTO_BUF proof = { 0 }, whole = { 0 };
	AUTO_JSON *v = NULL;

	buf_init(&proof, NOTE_BYTES_MAX);
	buf_init(&whole, LETTER_BYTES_MAX);
	if (!pending_proof_of(n, hash, &proof, e))
		return false;
	if (proof.len == 0)
		return true;
	if (!json_parse(buf_bytes(act), "stored act", &v, e))
		return false;
	json_put_bytes(v, "proof", buf_bytes(&proof));
	if (!json_write_canonical(v, &whole, e) || !buf_check(&whole, "act", e))
		return false;
	buf_clear(act);
	buf_add(act, buf_bytes(&whole));
	return buf_check(act, "act", e);
}

bool node_act_json(struct node *n, const uint8_t hash[static 32], struct buf *out, struct err *e)
{
	return node_act_json_under(n, hash, NULL, out, e);
}

bool node_act_json_under(struct node *n, const uint8_t hash[static 32], const struct proved *p, struct buf *out, struct err *e)
{
	struct err unlogged = { 0 };
	AUTO_BUF stored = { 0 }, proof = { 0 };

	buf_init(&stored, LETTER_BYTES_MAX);
	buf_init(&proof, NOTE_BYTES_MAX);
	if (!record_get(n, hash, &stored, e))
		return false;
	/* Theirs came with its proof, or the full one came later; ours gets the newest that there is. */
	if (!record_lacks_proof(buf_bytes(&stored)) && !full_proof(n, hash, &stored, e))
		return false;
	if (!record_lacks_proof(buf_bytes(&stored)) ||
	    !node_proof_under(n, hash, p != NULL ? p : cosigning_proved(n), &proof, &unlogged)) {
		buf_add(out, buf_bytes(&stored));
		return buf_check(out, "act", e);
	}
	return record_with_proof(buf_bytes(&stored), buf_bytes(&proof), out, e);
}

bool node_act_load(struct node *n, const uint8_t hash[static 32], struct act **ret, struct err *e)
{
	AUTO_BUF json = { 0 };

	buf_init(&json, LETTER_BYTES_MAX);
	return node_act_json(n, hash, &json, e) && act_parse(buf_bytes(&json), ret, e);
}
