/* Custody as CASE/UCO 1.4 JSON-LD, without a JSON-LD processor: a fixed @context, fully typed literals, one
 * node per party, person, tool, place, file, exhibit and event (evidence.md 1.3). Names of nodes are UUIDs in
 * the manner of version 5 over what the node stands for, so the same statements always give the same
 * bytes, and a verifier renders again and compares. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "evidence/custody.h"

#define NODE_ID_BYTES 80

struct graph {
	json_t *nodes; /* @graph */
	json_t *seen;  /* ids that have a node */
	json_t *actions, *authorizations;
};

static const char *const contexts[][2] = {
	{ "case-investigation", "https://ontology.caseontology.org/case/investigation/" },
	{ "kb", "https://example.org/kb/" },
	{ "uco-action", "https://ontology.unifiedcyberontology.org/uco/action/" },
	{ "uco-core", "https://ontology.unifiedcyberontology.org/uco/core/" },
	{ "uco-identity", "https://ontology.unifiedcyberontology.org/uco/identity/" },
	{ "uco-location", "https://ontology.unifiedcyberontology.org/uco/location/" },
	{ "uco-observable", "https://ontology.unifiedcyberontology.org/uco/observable/" },
	{ "uco-tool", "https://ontology.unifiedcyberontology.org/uco/tool/" },
	{ "uco-types", "https://ontology.unifiedcyberontology.org/uco/types/" },
	{ "xsd", "http://www.w3.org/2001/XMLSchema#" },
};

/* "kb:<what>-<uuid>" from up to two texts. */
static void node_id(const char *what, struct bytes a, struct bytes b, char ret[static NODE_ID_BYTES])
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	AUTO_BUF in = { 0 };

	buf_init(&in, 4 * LINE_BYTES_MAX + 256);
	buf_add_field(&in, bytes_of("comity/custody/node"));
	buf_add_field(&in, bytes_of(what));
	buf_add_field(&in, a);
	buf_add_field(&in, b);
	if (!buf_ok(&in))
		abort();
	sha256(buf_bytes(&in), digest);
	digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x50); /* version 5, RFC 9562 variant */
	digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
	hex_write(bytes_from(digest, sizeof(digest)), hex);
	snprintf(ret, NODE_ID_BYTES, "kb:%s-%.8s-%.4s-%.4s-%.4s-%.12s", what, hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static json_t *node_of(const char *id, const char *type)
{
	json_t *v = json_object();

	json_put_text(v, "@id", id);
	json_put_text(v, "@type", type);
	return v;
}

static json_t *ref_to(const char *id)
{
	json_t *v = json_object();

	json_put_text(v, "@id", id);
	return v;
}

static void push(json_t *array, json_t *taken)
{
	if (json_array_append_new(array, taken) != 0)
		abort();
}

static json_t *list_of(json_t *taken)
{
	json_t *v = json_array();

	push(v, taken);
	return v;
}

static void put_typed(json_t *v, const char *key, const char *type, struct bytes value)
{
	json_t *literal = json_object();

	json_put_text(literal, "@type", type);
	json_put_bytes(literal, "@value", value);
	json_put(v, key, literal);
}

/* A node that is there already is not made again: NULL. */
static json_t *new_node(struct graph *g, const char *id, const char *type)
{
	json_t *v;

	if (json_object_get(g->seen, id) != NULL)
		return NULL;
	json_put_bool(g->seen, id, true);
	v = node_of(id, type);
	push(g->nodes, v);
	return v;
}

static void named(struct graph *g, const char *what, const char *type, struct bytes name, struct bytes scope,
		  char id[static NODE_ID_BYTES])
{
	json_t *v;

	node_id(what, name, scope, id);
	v = new_node(g, id, type);
	if (v != NULL)
		json_put_bytes(v, "uco-core:name", name);
}

static json_t *content_facet(const struct statement *s, const char *size, struct bytes digest)
{
	char id[NODE_ID_BYTES];
	json_t *facet, *hash;

	node_id("content-data-facet", BYTES_ARRAY(s->hash), digest, id);
	facet = node_of(id, "uco-observable:ContentDataFacet");
	node_id("hash", BYTES_ARRAY(s->hash), digest, id);
	hash = node_of(id, "uco-types:Hash");
	put_typed(facet, "uco-observable:sizeInBytes", "xsd:integer", bytes_of(size));
	json_put_text(hash, "uco-types:hashMethod", "SHA256");
	put_typed(hash, "uco-types:hashValue", "xsd:hexBinary", digest);
	json_put(facet, "uco-observable:hash", list_of(hash));
	return facet;
}

/* The thing that was handled: one node per exhibit and content. */
static void file_node(struct graph *g, const struct statement *s, char id[static NODE_ID_BYTES])
{
	const json_t *object = json_object_get(s->body, "object");
	struct bytes digest = json_bytes(object, "sha256");
	char facet_id[NODE_ID_BYTES], size[32];
	json_t *v, *facet;

	node_id("file", json_bytes(s->body, "exhibit"), digest, id);
	v = new_node(g, id, "uco-observable:File");
	if (v == NULL)
		return;
	snprintf(size, sizeof(size), "%lld", (long long)json_int(object, "size"));
	node_id("file-facet", BYTES_ARRAY(s->hash), digest, facet_id);
	facet = node_of(facet_id, "uco-observable:FileFacet");
	json_put_bytes(facet, "uco-observable:fileName", json_bytes(object, "name"));
	put_typed(facet, "uco-observable:sizeInBytes", "xsd:integer", bytes_of(size));
	json_put(v, "uco-core:hasFacet", list_of(facet));
	push(json_object_get(v, "uco-core:hasFacet"), content_facet(s, size, digest));
}

static void provenance_node(struct graph *g, const struct statement *s, const char *file, char id[static NODE_ID_BYTES])
{
	struct bytes exhibit = json_bytes(s->body, "exhibit");
	json_t *v;

	node_id("provenance-record", exhibit, bytes_of(s->from), id);
	v = new_node(g, id, "case-investigation:ProvenanceRecord");
	if (v == NULL)
		return;
	json_put_bytes(v, "case-investigation:exhibitNumber", exhibit);
	json_put(v, "case-investigation:rootExhibitNumber", list_of(json_string_of(exhibit)));
	json_put_bytes(v, "uco-core:description", json_bytes(json_object_get(s->body, "object"), "name"));
	json_put(v, "uco-core:object", list_of(ref_to(file)));
}

static void tool_node(struct graph *g, const struct statement *s, json_t *action)
{
	const json_t *tool = json_object_get(s->body, "tool");
	struct bytes name = json_bytes(tool, "name"), version = json_bytes(tool, "version");
	char id[NODE_ID_BYTES];
	json_t *v;

	if (name.len == 0)
		return;
	node_id("tool", name, version, id);
	v = new_node(g, id, "uco-tool:Tool");
	if (v != NULL) {
		json_put_bytes(v, "uco-core:name", name);
		json_put_bytes(v, "uco-tool:version", version);
	}
	json_put(action, "uco-action:instrument", list_of(ref_to(id)));
}

static void action_node(struct graph *g, const struct statement *s)
{
	struct bytes where = json_bytes(s->body, "where"), reason = json_bytes(s->body, "reason");
	char id[NODE_ID_BYTES], organization[NODE_ID_BYTES], actor[NODE_ID_BYTES], file[NODE_ID_BYTES], record[NODE_ID_BYTES];
	uint8_t prev[SHA256_BYTES];
	json_t *v;

	named(g, "organization", "uco-identity:Organization", bytes_of(s->from), bytes_of(""), organization);
	named(g, "identity", "uco-identity:Identity", json_bytes(s->body, "actor"), bytes_of(s->from), actor);
	file_node(g, s, file);
	provenance_node(g, s, file, record);
	node_id("investigative-action", BYTES_ARRAY(s->hash), bytes_of(""), id);
	v = new_node(g, id, "case-investigation:InvestigativeAction");
	if (v == NULL)
		return;
	push(g->actions, ref_to(id));
	json_put_bytes(v, "uco-core:name", json_bytes(s->body, "act"));
	if (reason.len > 0)
		json_put_bytes(v, "uco-core:description", reason);
	json_put_text(v, "uco-action:actionStatus", bytes_is(json_bytes(s->body, "result"), "ok") ? "Success" : "Fail");
	put_typed(v, "uco-action:startTime", "xsd:dateTime", json_bytes(s->body, "when"));
	put_typed(v, "uco-action:endTime", "xsd:dateTime", json_bytes(s->body, "when"));
	json_put(v, "uco-action:performer", ref_to(actor));
	json_put(v, "uco-action:participant", list_of(ref_to(organization)));
	json_put(v, "uco-action:object", list_of(ref_to(file)));
	json_put(v, "uco-action:result", list_of(ref_to(record)));
	if (where.len > 0) {
		char place[NODE_ID_BYTES];

		named(g, "location", "uco-location:Location", where, bytes_of(s->from), place);
		json_put(v, "uco-action:location", list_of(ref_to(place)));
	}
	tool_node(g, s, v);
	if (hex_parse(json_bytes(s->body, "prev"), prev, sizeof(prev))) {
		node_id("investigative-action", BYTES_ARRAY(prev), bytes_of(""), id);
		json_put(v, "case-investigation:wasInformedBy", list_of(ref_to(id)));
	}
}

/* The order on which an exhibit was disclosed. */
static void authorization_node(struct graph *g, const struct statement *s)
{
	struct bytes order = json_bytes(s->body, "order");
	char id[NODE_ID_BYTES];
	json_t *v;

	if (order.len == 0)
		return;
	node_id("authorization", order, bytes_of(s->from), id);
	v = new_node(g, id, "case-investigation:Authorization");
	if (v == NULL)
		return;
	json_put_text(v, "case-investigation:authorizationType", "order for disclosure");
	json_put_bytes(v, "case-investigation:authorizationIdentifier", order);
	push(g->authorizations, ref_to(id));
}

static void investigation_node(struct graph *g, const struct statement *s)
{
	char id[NODE_ID_BYTES];
	json_t *v;

	node_id("investigation", bytes_of(s->case_ref), bytes_of(""), id);
	v = node_of(id, "case-investigation:Investigation");
	json_put_text(v, "uco-core:name", s->case_ref[0] == '\0' ? "case without reference" : s->case_ref);
	json_put_text(v, "case-investigation:investigationForm", "case");
	if (json_array_size(g->authorizations) > 0)
		json_put(v, "case-investigation:relevantAuthorization", json_incref(g->authorizations));
	json_put(v, "uco-core:object", json_incref(g->actions));
	push(g->nodes, v);
}

static void render(struct graph *g, const struct statement *const *list, size_t n)
{
	const struct statement *first = NULL;

	for (size_t i = 0; i < n; i++) {
		if (is_custody(list[i])) {
			action_node(g, list[i]);
			first = first == NULL ? list[i] : first;
		} else if (is_exhibit(list[i])) {
			authorization_node(g, list[i]);
		}
	}
	if (first != NULL)
		investigation_node(g, first);
}

bool chain_render(const struct statement *const *list, size_t n, struct buf *out, struct err *e)
{
	struct graph g = { .nodes = json_array(), .seen = json_object(), .actions = json_array(), .authorizations = json_array() };
	AUTO_JSON *document = json_object();
	json_t *context = json_object();

	for (size_t i = 0; i < sizeof(contexts) / sizeof(contexts[0]); i++)
		json_put_text(context, contexts[i][0], contexts[i][1]);
	render(&g, list, n);
	json_put(document, "@context", context);
	json_put(document, "@graph", g.nodes);
	json_decref(g.seen);
	json_decref(g.actions);
	json_decref(g.authorizations);
	if (!json_write_canonical(document, out, e))
		return err_note(e, "custody");
	buf_add_u8(out, '\n');
	return buf_check(out, "custody", e);
}
