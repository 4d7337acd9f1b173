/* What a caller can ask of a node, as a table of routes (routes.tbl.h). A handler gets the parsed request
 * and writes JSON; it runs inside the keeper's transaction, and its answer leaves when that is durable.
 * Local calls are `POST /api/<verb>` with a JSON object (a GET for verbs that only read works too, with {}).
 * Bulk content has routes of its own, which the keeper serves with descriptors. Errors are RFC 9457
 * problem details with the stable reason. The CLI speaks nothing else. */
#ifndef COMITY_API_API_H
#define COMITY_API_API_H

#include "base/json.h"
#include "exchange/node.h"

struct api_call {
	struct node *node;
	const json_t *in;   /* object */
	json_t *out;        /* object to fill */
	uint32_t uid;       /* local caller */
};
struct api_verb {
	const char *name;
	bool (*run)(struct api_call *c, struct err *e);
	const char *words;
};
const struct api_verb *api_verb_find(struct bytes name); /* NULL: unknown */
size_t api_verb_count(void);
const struct api_verb *api_verb_at(size_t i);
/* {"type":"about:blank","title","status","detail","reason"} */
void api_problem(const struct err *e, struct buf *out);

#endif
