/* A policy is a forest: witnesses are its leaves, groups stand below their members' lines in the text and each name is a
 * member once, so one pass in the order of the text counts every vote exactly once and there are no cycles. More
 * signatures never break a quorum; therefore there is one moment at which it was complete. Whoever is not below the
 * quorum has no vote, and its time is nobody's business; but its bad signature fails the note as any known key's does
 * (c2sp.org/signed-note). */
#include "log/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"

#define NONE SIZE_MAX

/* A name: of a witness or of a group. */
struct node {
	const char *name;
	size_t parent;   /* in nodes; NONE: nobody's member */
	size_t witness;  /* in witnesses; NONE: a group */
	size_t needed;   /* votes of a group */
	bool votes;      /* it is the quorum or stands below it */
};

struct policy {
	char *text; /* words end in NUL here; names and URLs point into it */
	struct policy_log *logs;
	struct policy_witness *witnesses;
	struct node *nodes;
	size_t log_count, witness_count, group_count, node_count;
	size_t quorum;
	bool has_quorum; /* its line was read */
};

void policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	free(p->text);
	free(p->logs);
	free(p->witnesses);
	free(p->nodes);
	free(p);
}

void policy_free_at(struct policy **p)
{
	policy_free(*p);
}

size_t policy_log_count(const struct policy *p)
{
	return p->log_count;
}

const struct policy_log *policy_log_at(const struct policy *p, size_t i)
{
	return &p->logs[i];
}

size_t policy_witness_count(const struct policy *p)
{
	return p->witness_count;
}

const struct policy_witness *policy_witness_at(const struct policy *p, size_t i)
{
	return &p->witnesses[i];
}

bool policy_wants_none(const struct policy *p)
{
	return p->quorum == NONE;
}

/* --- reading ----------------------------------------------------------------------------------- */

static bool malformed(struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, REASON_MALFORMED, "%s", what);
}

/* Cuts the next word off; NULL when there is none. White space is space and tab alone. */
static char *word(char **rest)
{
	char *at = *rest + strspn(*rest, " \t"), *end = at + strcspn(at, " \t");

	if (*at == '\0')
		return NULL;
	*rest = *end == '\0' ? end : end + 1;
	*end = '\0';
	return at;
}

/* The last word of a log or witness line: an URL, without the slashes at its end. "" when there is none. */
static bool url_take(char *rest, const char **ret, struct err *e)
{
	char *url = word(&rest);
	size_t len = url == NULL ? 0 : strlen(url);

	if (word(&rest) != NULL)
		return malformed(e, "words after the URL; a comment needs a line of its own");
	while (len > 0 && url[len - 1] == '/')
		url[--len] = '\0';
	*ret = url == NULL ? "" : url;
	return true;
}

static size_t node_find(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->node_count; i++)
		if (strcmp(p->nodes[i].name, name) == 0)
			return i;
	return NONE;
}

static bool name_is_free(const struct policy *p, const char *name, struct err *e)
{
	if (name == NULL)
		return malformed(e, "no name");
	if (strcmp(name, "none") == 0)
		return malformed(e, "\"none\" is no name for a witness or group");
	return node_find(p, name) == NONE || malformed(e, "this name is taken above");
}

static void node_add(struct policy *p, struct node n)
{
	p->nodes[p->node_count++] = n;
}

static bool key_take(char **rest, struct note_key *ret, struct err *e)
{
	char *vkey = word(rest);

	return vkey == NULL ? malformed(e, "no verifier key") : note_key_parse(bytes_of(vkey), ret, e);
}

static bool log_line(struct policy *p, char *rest, struct err *e)
{
	struct policy_log l;

	if (p->log_count == POLICY_LOGS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "over %u logs", POLICY_LOGS_MAX);
	if (!key_take(&rest, &l.key, e) || !url_take(rest, &l.url, e))
		return false;
	if (l.key.type != NOTE_ED25519)
		return malformed(e, "a log's key has type 0x01");
	for (size_t i = 0; i < p->log_count; i++)
		if (note_key_same(&p->logs[i].key, &l.key))
			return malformed(e, "this log's public key stands above");
	p->logs[p->log_count++] = l;
	return true;
}

static bool witness_line(struct policy *p, char *rest, struct err *e)
{
	struct policy_witness w = { .name = word(&rest) };

	if (p->witness_count == POLICY_WITNESSES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "over %u witnesses", POLICY_WITNESSES_MAX);
	if (!name_is_free(p, w.name, e) || !key_take(&rest, &w.key, e) || !url_take(rest, &w.url, e))
		return false;
	if (w.key.type != NOTE_COSIGNATURE && w.key.type != NOTE_COSIGNATURE_MLDSA)
		return malformed(e, "a witness's key has type 0x04 or 0x06");
	/* One key under two names would be one voice with two votes. */
	for (size_t i = 0; i < p->witness_count; i++)
		if (note_key_same(&p->witnesses[i].key, &w.key))
			return malformed(e, "this witness's public key stands above");
	node_add(p, (struct node){ .name = w.name, .parent = NONE, .witness = p->witness_count });
	p->witnesses[p->witness_count++] = w;
	return true;
}

static bool needed_parse(const char *k, size_t members, size_t *ret)
{
	uint64_t n;

	if (strcmp(k, "all") == 0)
		n = members;
	else if (strcmp(k, "any") == 0)
		n = 1;
	else if (!num_parse_u64(k, members, &n))
		return false;
	*ret = (size_t)n;
	return n > 0;
}

static bool group_line(struct policy *p, char *rest, struct err *e)
{
	const char *name = word(&rest), *k, *member;
	struct node group = { .name = name, .parent = NONE, .witness = NONE };
	size_t members = 0;

	if (p->group_count == POLICY_GROUPS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "over %u groups", POLICY_GROUPS_MAX);
	if (!name_is_free(p, name, e))
		return false;
	k = word(&rest);
	while ((member = word(&rest)) != NULL) {
		size_t i = node_find(p, member);

		if (strcmp(member, "none") == 0)
			return malformed(e, "\"none\" cannot be a member");
		if (i == NONE)
			return malformed(e, "a member is not defined above");
		if (p->nodes[i].parent != NONE)
			return malformed(e, "a member is a group's member already");
		p->nodes[i].parent = p->node_count;
		members++;
	}
	if (k == NULL || members == 0)
		return malformed(e, "a group without members");
	if (!needed_parse(k, members, &group.needed))
		return malformed(e, "a group needs all, any, or a number from 1 to that of its members");
	node_add(p, group);
	p->group_count++;
	return true;
}

static bool quorum_line(struct policy *p, char *rest, struct err *e)
{
	const char *name = word(&rest);

	if (p->has_quorum)
		return malformed(e, "a second quorum");
	if (name == NULL || word(&rest) != NULL)
		return malformed(e, "a quorum has one name");
	p->has_quorum = true;
	if (strcmp(name, "none") == 0)
		return true;
	p->quorum = node_find(p, name);
	return p->quorum != NONE || malformed(e, "the quorum's name is not defined above");
}

static bool line_take(struct policy *p, char *rest, struct err *e)
{
	static const struct {
		const char *first;
		bool (*take)(struct policy *p, char *rest, struct err *e);
	} lines[] = { { "log", log_line }, { "witness", witness_line }, { "group", group_line }, { "quorum", quorum_line } };
	const char *first;

	if (rest[strspn(rest, " \t")] == '#')
		return true;
	first = word(&rest);
	if (first == NULL)
		return true;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (strcmp(lines[i].first, first) == 0)
			return lines[i].take(p, rest, e);
	return malformed(e, "a line begins with log, witness, group or quorum");
}

static void *room_for(size_t count, size_t size)
{
	void *room = calloc(count, size);

	if (room == NULL)
		abort();
	return room;
}

/* With as much room as there can be lines of each kind, so that nothing moves while it is read. */
static struct policy *policy_new(struct bytes text)
{
	struct policy *p = room_for(1, sizeof(*p));
	size_t lines = 1;

	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n';
	p->text = room_for(text.len + 1, 1);
	if (text.len > 0)
		memcpy(p->text, text.at, text.len);
	p->logs = room_for(lines < POLICY_LOGS_MAX ? lines : POLICY_LOGS_MAX, sizeof(p->logs[0]));
	p->witnesses = room_for(lines < POLICY_WITNESSES_MAX ? lines : POLICY_WITNESSES_MAX, sizeof(p->witnesses[0]));
	p->nodes = room_for(POLICY_WITNESSES_MAX + POLICY_GROUPS_MAX, sizeof(p->nodes[0]));
	p->quorum = NONE;
	return p;
}

static bool lines_take(struct policy *p, size_t len, struct err *e)
{
	char *at = p->text, *end = p->text + len;

	for (unsigned line = 1; at < end; line++) {
		char *next = memchr(at, '\n', (size_t)(end - at));

		if (next == NULL)
			return malformed(e, "policy: the last line does not end");
		for (const char *c = at; c < next; c++)
			if (((uint8_t)*c < 0x20 && *c != '\t') || *c == 0x7f)
				return err_set(e, ERR_INPUT, REASON_MALFORMED, "policy line %u: control character 0x%02x", line, (uint8_t)*c);
		*next = '\0';
		if (!line_take(p, at, e))
			return err_note(e, "policy line %u", line);
		at = next + 1;
	}
	return p->has_quorum || malformed(e, "policy: no quorum line");
}

bool policy_parse(struct bytes text, struct policy **ret, struct err *e)
{
	if (text.len > POLICY_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "policy: over %u bytes", POLICY_BYTES_MAX);
	AUTO_POLICY *p = policy_new(text);
	if (!lines_take(p, text.len, e))
		return false;
	/* A group's place is after its members': one pass down from the quorum. */
	for (size_t i = p->node_count; i-- > 0;)
		p->nodes[i].votes = i == p->quorum || (p->nodes[i].parent != NONE && p->nodes[p->nodes[i].parent].votes);
	*ret = p;
	p = NULL;
	return true;
}

/* --- judging ----------------------------------------------------------------------------------- */

bool policy_quorum(const struct policy *p, const bool *counted)
{
	size_t votes[POLICY_WITNESSES_MAX + POLICY_GROUPS_MAX] = { 0 };

	if (p->quorum == NONE)
		return true;
	for (size_t i = 0; i <= p->quorum; i++) {
		const struct node *n = &p->nodes[i];
		bool holds = n->witness != NONE ? counted[n->witness] : votes[i] >= n->needed;

		if (i == p->quorum)
			return holds;
		if (holds && n->parent != NONE)
			votes[n->parent]++;
	}
	return false;
}

void policy_verdict_release(struct policy_verdict *v)
{
	buf_release(&v->missing);
}

/* A cosignature that counts. */
struct signed_at {
	int64_t ms;
	size_t witness;
};

static int by_time(const void *a, const void *b)
{
	const struct signed_at *x = a, *y = b;

	return x->ms < y->ms ? -1 : x->ms > y->ms;
}

/* Adds the signers in the order of time until they are enough. */
static void quorum_judge(const struct policy *p, struct signed_at *times, struct policy_verdict *v)
{
	bool counted[POLICY_WITNESSES_MAX] = { false };

	v->met = policy_quorum(p, counted);
	if (v->witnesses == 0)
		return;
	qsort(times, v->witnesses, sizeof(times[0]), by_time);
	v->oldest_ms = times[0].ms;
	v->newest_ms = times[v->witnesses - 1].ms;
	for (size_t i = 0; i < v->witnesses && !v->met; i++) {
		counted[times[i].witness] = true;
		v->met = policy_quorum(p, counted);
		if (v->met)
			v->quorum_ms = times[i].ms;
	}
}

bool policy_evaluate(const struct policy *p, const struct note *n, bool (*excluded)(void *ctx, const struct note_key *k), void *ctx,
		     struct policy_verdict *ret, struct err *e)
{
	struct signed_at times[POLICY_WITNESSES_MAX];
	struct policy_verdict v = { .met = false };
	AUTO_BUF missing = { 0 };

	buf_init(&missing, 3 * POLICY_BYTES_MAX); /* an octet may be written as three */
	for (size_t i = 0; i < p->node_count; i++) {
		const struct node *node = &p->nodes[i];
		const struct note_key *key;
		struct err why = { 0 };
		int64_t time_s;
		bool is_signed;

		if (node->witness == NONE)
			continue;
		key = &p->witnesses[node->witness].key;
		is_signed = cosignature_verify(n, key, &time_s, &why);
		if (!is_signed && why.reason != REASON_UNKNOWN_KEY)
			return err_set(e, why.kind, why.reason, "%s", why.text);
		if (!node->votes || (excluded != NULL && excluded(ctx, key)))
			continue;
		if (is_signed) {
			times[v.witnesses++] = (struct signed_at){ time_s * 1000, node->witness };
			continue;
		}
		buf_add_text(&missing, missing.len > 0 ? ", " : "");
		text_printable(bytes_of(node->name), &missing);
	}
	if (!buf_check(&missing, "names of witnesses", e))
		return false;
	quorum_judge(p, times, &v);
	v.missing = missing;
	missing = (struct buf){ 0 };
	*ret = v;
	return true;
}
