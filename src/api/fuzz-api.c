/* Calls of the local interface: the first byte chooses the verb, the rest is the JSON that comes with it. A text "$d",
 * "$r", "$h" or "$x" stands for the id of a draft, of a request of ours, for its hash, and for the id of a request
 * of theirs. Nothing may crash; what fails has a reason and leaves nothing. */
#include "exchange/test-fuzz.h"

#include "api/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char draft_id[ID_TEXT_LEN + 1], request_id[ID_TEXT_LEN + 1], their_id[ID_TEXT_LEN + 1], hash[2 * SHA256_BYTES + 1];

static void prepare(void)
{
	struct said ours, theirs;
	struct id id;
	json_t *body;

	if (hash[0] != '\0')
		return;
	fuzz_world_begin();
	ours = say_request(&fuzz_world.xa, "XR");
	theirs = say_request(&fuzz_world.xr, "XA");
	settle(&fuzz_world.xa, &fuzz_world.xr);
	body = sample_body("preservation-request");
	draft(&fuzz_world.xa, "preservation-request", "XR", NULL, body, &id);
	json_decref(body);
	id_write(&id, draft_id);
	id_write(&ours.id, request_id);
	id_write(&theirs.id, their_id);
	hex_write(BYTES_ARRAY(ours.hash), hash);
}

static void fill_in(json_t *v)
{
	static const struct {
		const char *name, *value;
	} words[] = { { "$d", draft_id }, { "$r", request_id }, { "$h", hash }, { "$x", their_id } };
	const char *key;
	json_t *member;
	void *next;

	json_object_foreach_safe(v, next, key, member) {
		if (json_is_object(member))
			fill_in(member);
		for (size_t i = 0; i < 4; i++)
			if (json_is_string(member) && strcmp(json_string_value(member), words[i].name) == 0) {
				json_put_text(v, key, words[i].value);
				break;
			}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JSON *in = NULL, *out = json_object();
	struct node *n;
	struct err e = { 0 };

	prepare();
	n = fuzz_world.xa.node;
	if (size == 0 || !json_parse(bytes_from(data + 1, size - 1), "call", &in, NULL) || !json_is_object(in))
		return 0;
	const struct api_verb *v = api_verb_at(data[0] % api_verb_count());
	if (strcmp(v->name, "backup") == 0) /* writes files */
		return 0;
	fill_in(in);
	struct api_call c = { .node = n, .in = in, .out = out };
	int64_t before = rows(&fuzz_world.xa, QUERY_statement_all);
	must(node_begin(n, &e) && node_part(n, &e));
	bool ok = v->run(&c, &e);
	must(ok || (e.reason != REASON_NONE && e.text[0] != '\0'));
	must(node_part_end(n, ok, &e));
	must(ok || rows(&fuzz_world.xa, QUERY_statement_all) == before);
	node_rollback(n);
	/* The register in memory follows the store. */
	must(directory_load(n, &e));
	return 0;
}
