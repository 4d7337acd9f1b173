/* The newest version whose week has begun is in effect. A version that was stated and has not begun is overtaken by a
 * later one of the same week. The settings are compared with the newest one, begun or not, so that a restart states
 * nothing twice. */
#include "exchange/parameters.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/num.h"
#include "exchange/publish.h"
#include "log/leaf.h"

#define WEEK_MS (7 * DAY_MS)
#define EMBARGO_QUARTERS_MAX 40
#define LEAF_SCHEMA 1

struct parameters {
	struct parameters_version {
		int64_t version, start_ms, slot_ms, leaves;
	} *at;
	size_t count;
	bool must_state;
};

void parameters_free(struct parameters *p)
{
	if (p == NULL)
		return;
	free(p->at);
	free(p);
}

/* Monday, midnight UTC; 1970-01-01 was a Thursday. */
static int64_t week_begin(int64_t ms)
{
	int64_t monday = 4 * DAY_MS, off = (ms - monday) % WEEK_MS;

	return ms - (off < 0 ? off + WEEK_MS : off);
}

/* --- what the settings say ------------------------------------------------------------------------ */

static bool class_known(struct bytes class)
{
	if (bytes_is(class, LEAF_CLASS_NULL))
		return false; /* nothing is gained by hiding it longer, and much looks like it is */
	for (size_t i = 0; i < kind_count(); i++)
		if (kind_at(i)->leaf && bytes_is(class, kind_at(i)->act_class))
			return true;
	return false;
}

/* "page:4 order:2" -> the embargo of one class; every item is checked. */
static bool embargo_of(const char *setting, const char *class, int64_t *ret, struct err *e)
{
	struct bytes rest = bytes_of(setting);

	*ret = 1;
	while (rest.len > 0) {
		struct bytes item = bytes_cut(&rest, ' '), number = item;
		char text[16];
		uint64_t quarters = 0;
		struct bytes name = bytes_cut(&number, ':');

		if (item.len == 0)
			continue;
		bytes_text(number, text, sizeof(text));
		if (!class_known(name) || number.len >= sizeof(text) || !num_parse_u64(text, EMBARGO_QUARTERS_MAX, &quarters) || quarters == 0)
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
				       "comity.conf: embargo_classes: %.*s is not a class and 1 to %d quarters, as in page:4",
				       (int)(item.len < 60 ? item.len : 60), (const char *)item.at, EMBARGO_QUARTERS_MAX);
		if (bytes_is(name, class))
			*ret = (int64_t)quarters;
	}
	return true;
}

static int class_compare(const void *a, const void *b)
{
	const struct kind *const *ka = a, *const *kb = b;

	int order = strcmp((*ka)->act_class, (*kb)->act_class);

	return order != 0 ? order : strcmp((*ka)->name, (*kb)->name);
}

static void class_add(json_t *classes, const char *class, int64_t quarters, const char *words)
{
	json_t *v = json_object();

	json_put_text(v, "class", class);
	json_put_int(v, "embargo_quarters", quarters);
	json_put_text(v, "words", words);
	if (json_array_append_new(classes, v) != 0)
		abort();
}

/* In the order of the codes, so that another order of the table is no new version. */
static bool classes_json(const char *setting, json_t *classes, struct err *e)
{
	const struct kind *kinds[LIST_ITEMS_MAX];
	size_t count = 0;
	bool null_done = false;
	int64_t quarters;

	for (size_t i = 0; i < kind_count() && count < LIST_ITEMS_MAX - 1; i++)
		if (kind_at(i)->leaf)
			kinds[count++] = kind_at(i);
	qsort(kinds, count, sizeof(kinds[0]), class_compare);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && strcmp(kinds[i]->act_class, kinds[i - 1]->act_class) == 0)
			continue;
		if (!null_done && strcmp(kinds[i]->act_class, LEAF_CLASS_NULL) > 0) {
			class_add(classes, LEAF_CLASS_NULL, 1, "nothing: it fills a slot");
			null_done = true;
		}
		if (!embargo_of(setting, kinds[i]->act_class, &quarters, e))
			return false;
		class_add(classes, kinds[i]->act_class, quarters, kinds[i]->words);
	}
	if (!null_done)
		class_add(classes, LEAF_CLASS_NULL, 1, "nothing: it fills a slot");
	return true;
}

bool parameters_setting(const struct config *c, struct err *e)
{
	int64_t quarters;

	return embargo_of(config_text(c, embargo_classes), "", &quarters, e);
}

/* Without version and week. */
static bool body_wanted(const struct node *n, json_t *body, struct err *e)
{
	char origin[CONFIG_ORIGIN_BYTES_MAX + 1];
	json_t *classes = json_array();

	config_log_origin(&n->config, origin);
	json_put(body, "classes", classes);
	json_put_int(body, "leaf_schema", LEAF_SCHEMA);
	json_put_int(body, "leaves_per_slot", config_count(&n->config, leaves_per_slot));
	json_put_text(body, "log", origin);
	json_put_int(body, "slot_ms", config_count(&n->config, slot_ms));
	return classes_json(config_text(&n->config, embargo_classes), classes, e);
}

/* --- versions ---------------------------------------------------------------------------------------- */

static const struct parameters_version *in_effect(const struct parameters *p, int64_t ms)
{
	if (p == NULL || p->count == 0)
		return NULL;
	for (size_t i = p->count; i-- > 0;)
		if (p->at[i].start_ms <= ms)
			return &p->at[i];
	return &p->at[0]; /* a clock before the first week */
}

int64_t parameters_slot_ms(const struct node *n, int64_t now_ms)
{
	const struct parameters_version *v = in_effect(n->parameters, now_ms);

	return v != NULL ? v->slot_ms : config_count(&n->config, slot_ms);
}

int64_t parameters_leaves(const struct node *n, int64_t now_ms)
{
	const struct parameters_version *v = in_effect(n->parameters, now_ms);

	return v != NULL ? v->leaves : config_count(&n->config, leaves_per_slot);
}

static void version_add(struct parameters *p, int64_t version, int64_t start_ms, const json_t *body)
{
	p->at = reallocarray(p->at, p->count + 1, sizeof(*p->at));
	if (p->at == NULL)
		abort();
	p->at[p->count++] = (struct parameters_version){ .version = version, .start_ms = start_ms,
		.slot_ms = json_int(body, "slot_ms"), .leaves = json_int(body, "leaves_per_slot") };
}

/* In order of versions; *newest: the body of the last one, or NULL. */
static bool versions_load(struct node *n, json_t **newest, struct err *e)
{
	struct query *q = store_query(n->store, QUERY_log_parameters_list);
	bool found, ok;

	while ((ok = query_row(q, &found, e)) && found) {
		json_t *body = NULL;
		ok = json_parse(query_bytes(q, 2), "log parameters", &body, e);
		if (!ok)
			break;
		version_add(n->parameters, query_int(q, 0), query_int(q, 1), body);
		json_decref(*newest);
		*newest = body;
	}
	query_end(q);
	return ok;
}

static bool version_keep(struct node *n, int64_t version, int64_t start_ms, const uint8_t hash[static 32], const json_t *body,
			 struct err *e)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, STATEMENT_BYTES_MAX);
	if (!json_write_canonical(body, &text, e))
		return false;
	struct query *q = store_query(n->store, QUERY_log_parameters_add);
	query_bind_int(q, 1, version);
	query_bind_int(q, 2, start_ms);
	query_bind_bytes(q, 3, bytes_from(hash, 32));
	query_bind_text(q, 4, buf_text(&text));
	bool ok = query_run(q, e);
	query_end(q);
	return ok;
}

static bool state_version(struct node *n, json_t *body, int64_t version, int64_t start_ms, struct err *e)
{
	struct own_statement s = { .kind = "log-parameters", .to = "", .case_ref = "", .legal_basis = "UNCC", .via = "comity", .body = body };
	uint8_t hash[SHA256_BYTES];
	char week[16];

	time_write_week(start_ms, week);
	json_put_text(body, "start_week", week);
	json_put_int(body, "version", version);
	if (!node_begin(n, e))
		return false;
	if (node_state(n, &s, hash, e) && version_keep(n, version, start_ms, hash, body, e) && publish_act(n, hash, e))
		return node_commit(n, e);
	node_rollback(n);
	return false;
}

static bool same_parameters(const json_t *stated, const json_t *wanted)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)wanted, name, v)
		if (!json_equal(json_object_get(stated, name), v))
			return false;
	return true;
}

bool parameters_state(struct node *n, struct err *e)
{
	struct parameters *p = n->parameters;
	AUTO_JSON *wanted = json_object();

	if (!p->must_state || n->locked)
		return true;
	int64_t version = p->count > 0 ? p->at[p->count - 1].version + 1 : 1, now = clock_now_ms();
	int64_t start_ms = week_begin(now) + (version > 1 ? WEEK_MS : 0);
	if (!body_wanted(n, wanted, e) || !state_version(n, wanted, version, start_ms, e))
		return err_note(e, "stating the parameters of the log");
	version_add(p, version, start_ms, wanted);
	p->must_state = false;
	return true;
}

bool parameters_open(struct node *n, struct err *e)
{
	AUTO_JSON *newest = NULL, *wanted = json_object();

	n->parameters = calloc(1, sizeof(*n->parameters));
	if (n->parameters == NULL)
		abort();
	if (!versions_load(n, &newest, e) || !body_wanted(n, wanted, e))
		return false;
	n->parameters->must_state = newest == NULL || !same_parameters(newest, wanted);
	return true;
}

bool parameters_body_at(struct node *n, int64_t ms, json_t **ret, struct err *e)
{
	const struct parameters_version *v = in_effect(n->parameters, ms);
	struct query *q = store_query(n->store, QUERY_log_parameters_list);
	json_t *body = NULL;
	bool found, ok;

	while ((ok = query_row(q, &found, e)) && found) {
		if (v == NULL || query_int(q, 0) != v->version)
			continue;
		ok = json_parse(query_bytes(q, 2), "log parameters", &body, e);
		break;
	}
	query_end(q);
	if (ok)
		*ret = body;
	return ok;
}

int64_t parameters_embargo(const json_t *body, struct bytes class)
{
	const json_t *classes = json_object_get(body, "classes"), *v;
	size_t i;

	json_array_foreach(classes, i, v)
		if (bytes_equal(json_bytes(v, "class"), class))
			return json_int(v, "embargo_quarters");
	return 1;
}
