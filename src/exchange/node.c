/* Opens a home's model and records acts. The order inside node_act is the promise: payload checked
 * and signed, record key, record, leaf and letter in one transaction; nothing is sent or answered
 * before that transaction is durable (design.md part 4). */
#include "exchange/node.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "exchange/directory.h"
#include "exchange/record.h"
#include "exchange/slots.h"
#include "log/leaf.h"
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
	return store_begin(n->store, e);
}

bool node_commit(struct node *n, struct err *e)
{
	return store_commit(n->store, e);
}

void node_rollback(struct node *n)
{
	store_rollback(n->store);
}

void node_close(struct node *n)
{
	if (n == NULL)
		return;
	log_close(n->log);
	store_close(n->store);
	register_free(n->reg);
	treaty_free(n->treaty);
	checkpoint_cache_free(n->checkpoints);
	if (n->blobs_fd >= 0)
		close(n->blobs_fd);
	if (n->log_fd >= 0)
		close(n->log_fd);
	if (n->home_fd >= 0)
		close(n->home_fd);
	free(n);
}

static bool open_parts(struct node *n, const struct node_options *o, struct err *e)
{
	if (!config_load(n->home_fd, &n->config, e) || !store_open(n->home_fd, &n->store, e) ||
	    !treaty_load(o->treaties, &n->treaty, e))
		return false;
	n->blobs_fd = openat(n->home_fd, "blobs", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	n->log_fd = openat(n->home_fd, "log", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (n->blobs_fd < 0 || n->log_fd < 0)
		return err_system(e, "home has no blobs/ or log/");
	n->checkpoints = checkpoint_cache_new();
	return slots_open(n, e) && directory_load(n, e);
}

bool node_open(const struct node_options *o, struct node **ret, struct err *e)
{
	struct node *n = calloc(1, sizeof(*n));

	if (n == NULL)
		abort();
	n->home_fd = o->home_fd;
	n->blobs_fd = n->log_fd = -1;
	n->signer = o->signer;
	memcpy(n->sign_public, o->sign_public, sizeof(n->sign_public));
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
	struct query *q = store_query(n->store, QUERY_outbox_add);

	query_bind_bytes(q, 1, bytes_from(s->hash, 32));
	query_bind_bytes(q, 2, bytes_from(s->id.at, ID_BYTES));
	query_bind_text(q, 3, s->to);
	query_bind_text(q, 4, s->kind->name);
	query_bind_int(q, 5, clock_now_ms());
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

/* Builds the act's canonical JSON: envelope, approvals, our leaf and its opening; the proof comes later. */
static bool act_json(const struct statement *s, const uint8_t signature[static 64], struct node *n,
		     const struct bytes *approvals, size_t approval_count, const struct record_keys *keys,
		     struct bytes leaf, struct buf *out, struct err *e)
{
	AUTO_JSON *v = json_object();
	json_t *list = json_array(), *envelope;
	struct envelope_signature sig;

	json_put(v, "approvals", list);
	for (size_t i = 0; i < approval_count; i++) {
		json_t *a;
		if (!json_parse(approvals[i], "approval", &a, e))
			return false;
		json_array_append_new(list, a);
	}
	key_id_write(n->sign_public, sig.keyid);
	memcpy(sig.sig, signature, sizeof(sig.sig));
	if (!envelope_json_of(statement_type(s->kind), s->payload, &sig, 1, &envelope, e))
		return false;
	json_put(v, "envelope", envelope);
	json_put_bytes(v, "leaf", leaf);
	json_put_hex(v, "opening", BYTES_ARRAY(keys->opening));
	json_put_text(v, "proof", "");
	json_put_hex(v, "x", BYTES_ARRAY(keys->x));
	return json_write_canonical(v, out, e) && buf_check(out, "act", e);
}
