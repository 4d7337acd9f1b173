/* Our own log is not among them: a witness of the party that the log belongs to would say nothing (design.md
 * part 10), and the signer keeps its own last checkpoint anyway. */
#include "exchange/watched.h"

#include <string.h>

static void put(const struct note_key *k, const char *endpoint, struct buf *out)
{
	bool plain = strlen(endpoint) <= WITNESS_URL_BYTES_MAX;

	for (const char *c = endpoint; plain && *c != '\0'; c++)
		plain = *c > ' ' && *c <= '~';
	buf_add_text(out, "log ");
	note_key_write(k, out);
	buf_add_format(out, "%s%s\n", plain && endpoint[0] != '\0' ? " " : "", plain ? endpoint : "");
}

/* A log's name is watched under one key; of two parties that name the same one, neither is believed blindly: the first
 * in the register's order stands. */
static bool is_named_before(const struct node *n, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(register_at(n->reg, k)->log_key.name, register_at(n->reg, i)->log_key.name) == 0)
			return true;
	return false;
}

bool watched_text(const struct node *n, struct buf *out, struct err *e)
{
	const struct note_key *register_log = register_log_key(n->reg);
	bool has = register_log == NULL || strcmp(register_log->name, n->identity.log.name) == 0;

	for (size_t i = 0; i < register_count(n->reg); i++) {
		const struct party *p = register_at(n->reg, i);

		if (strcmp(p->log_key.name, n->identity.log.name) == 0 || is_named_before(n, i))
			continue;
		has = has || strcmp(p->log_key.name, register_log->name) == 0;
		put(&p->log_key, p->public_endpoint, out);
	}
	if (!has)
		put(register_log, config_text(&n->config, register_url), out);
	return buf_check(out, "logs of the witness", e);
}
