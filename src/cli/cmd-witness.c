/* comity witness: a witness alone, for a university or an organisation that runs no node; and the key of a node's
 * witness. */
#include <string.h>

#include "base/limits.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/watch.h"
#include "cli/witness-folder.h"
#include "daemon/serve.h"
#include "exchange/witness-home.h"

static const struct option init_witness_options[] = {
	OPTION_JSON,
	{ "name", 'n', OPTION_VALUE, "NAME", "name of the witness, for ever the same: a domain and a path, no spaces" },
	{ "listen", 'l', OPTION_VALUE, "ADDR:PORT", "where it listens" },
	{ "url", 'u', OPTION_VALUE, "URL", "address at which the world reaches it" },
	{ "log", 0, OPTION_MANY, "VKEY[=URL]", "a log to watch" },
	{ "plain", 0, OPTION_FLAG, NULL, "HTTP without TLS, for a proxy in front of it that has a certificate" },
	OPTION_END,
};
static const struct option show_options[] = { OPTION_JSON, OPTION_END };
static const struct option add_log_options[] = {
	OPTION_ORIGIN(OPTION_VALUE, "first line of the log's checkpoints, when it is not the key's name"),
	OPTION_END,
};
static const struct option no_options[] = { OPTION_END };
static const struct option new_key_options[] = { OPTION_HOME, OPTION_JSON, OPTION_END };

/* --- init ---------------------------------------------------------------------------------------------- */

static bool log_line(struct buf *text, const char *vkey, size_t len, const char *url, struct err *e)
{
	for (const char *c = url; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "\"%.60s\" is no address", url);
	buf_add_format(text, "log %.*s%s%s\n", (int)len, vkey, url[0] != '\0' ? " " : "", url);
	return true;
}

static bool logs_of(const struct args *a, struct watched *ret, struct err *e)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, WITNESS_LOGS_BYTES_MAX);
	for (size_t i = 0; args_many(a, "log", i) != NULL; i++) {
		const char *given = args_many(a, "log", i), *url = strchr(given, '=');
		size_t len = url == NULL ? strlen(given) : (size_t)(url - given);

		if (!log_line(&text, given, len, url == NULL ? "" : url + 1, e))
			return false;
	}
	return buf_check(&text, "logs", e) && watched_parse(buf_bytes(&text), ret, e);
}

/* An address that nodes and monitors take from a policy; that of a listener on all addresses is none. */
static bool is_reached(const char *url)
{
	static const char *const none[] = { "https://", "https://0.0.0.0", "https://[::]" };

	for (const char *c = url; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		size_t len = strlen(none[i]);

		if (strncmp(url, none[i], len) == 0 && strcspn(url + len, ":/") == 0)
			return false;
	}
	return strncmp(url, none[0], strlen(none[0])) == 0;
}

static bool settings_of(const struct args *a, struct config *c, struct err *e)
{
	const char *name = args_value(a, "name"), *listen = args_value(a, "listen"), *url = args_value(a, "url");

	config_defaults(c);
	if (name == NULL || listen == NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "whose witness is it, and where? give --name NAME and --listen ADDR:PORT");
	/* Said before anything is made. */
	if (!note_name_is_valid(bytes_of(name)))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "\"%.100s\" is no name for a witness: at most %u bytes, no spaces, no +", name,
			       NOTE_NAME_BYTES_MAX);
	if (args_has(a, "plain") && url == NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT,
			       "no node asks a witness at an http address: with --plain give --url https://..., that of the proxy in front of it");
	if (url != NULL && !is_reached(url))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "\"%.100s\" is no address that nodes take: --url https://...", url);
	if (strrchr(listen, ':') == NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "\"%.100s\" is no address and port, as 127.0.0.1:8080", listen);
	return config_set(c, CONFIG_name, name, e) && config_set(c, CONFIG_listen_public, listen, e) &&
	       (url == NULL || config_set(c, CONFIG_public_endpoint, url, e)) &&
	       (!args_has(a, "plain") || config_set(c, CONFIG_public_plain, "yes", e));
}

static void put_key(json_t *v, const struct note_key *self)
{
	AUTO_BUF vkey = { 0 };

	buf_init(&vkey, 4 * KIB);
	note_key_write(self, &vkey);
	json_put_text(v, "name", self->name);
	json_put_text(v, "vkey", buf_text(&vkey));
}

static void print_key(const json_t *v, struct buf *out)
{
	output_member(out, "witness", json_text(v, "name"));
	output_member(out, "key", json_text(v, "vkey"));
	output_member(out, "next", json_text(v, "next"));
}

static int init_run(const struct args *a)
{
	struct config *c = calloc(1, sizeof(*c));
	AUTO_JSON *v = json_object();
	AUTO_WATCHED logs = { 0 };
	AUTO_BUF next = { 0 };
	struct note_key self;
	struct err e;

	if (c == NULL)
		abort();
	buf_init(&next, 8 * KIB);
	bool ok = settings_of(a, c, &e) && logs_of(a, &logs, &e) && witness_folder_make(a->positional[0], c, &logs, &self, &e);
	free(c);
	if (!ok)
		return command_failed(&e);
	put_key(v, &self);
	buf_add_format(&next, logs.count == 0 ? "comity witness add-log %.4000s VKEY" : "comity witness serve %.4000s", a->positional[0]);
	json_put_text(v, "next", buf_text(&next));
	return output_value(a, v, print_key);
}

static int serve_run_witness(const struct args *a)
{
	AUTO_WITNESS_FOLDER f = { .fd = -1 };
	struct err e;

	if (!witness_folder_open(a->positional[0], &f, &e))
		return command_failed(&e);
	return serve_witness_run(a->positional[0]);
}

/* --- show ---------------------------------------------------------------------------------------------- */

/* "Nothing cosigned yet" is said of a state that was read, never of one that is lost: its key signs no more. */
static bool put_logs(json_t *v, const struct witness_folder *f, const struct note_key *self, const struct watched *logs, struct err *e)
{
	json_t *list = json_array();

	json_put(v, "logs", list);
	for (size_t i = 0; i < logs->count; i++) {
		const struct watched_log *l = &logs->at[i];
		json_t *one = json_object();
		bool found = false;
		uint64_t size = 0;
		int64_t time_s = 0;

		if (json_array_append_new(list, one) != 0)
			abort();
		if (!witness_last(f, self, l->origin, &found, &size, &time_s, e))
			return false;
		json_put_text(one, "origin", l->origin);
		json_put_text(one, "key_name", l->key.name);
		json_put_text(one, "url", l->url);
		json_put_bool(one, "cosigned", found);
		json_put_int(one, "size", found ? (int64_t)size : 0);
		if (found)
			json_put_time(one, "time", time_s * 1000);
		else
			json_put_text(one, "time", "");
	}
	return logs->count > 0 || witness_state_check(f, e);
}

static void print_show(const json_t *v, struct buf *out)
{
	const json_t *logs = json_object_get(v, "logs");

	print_key(v, out);
	output_member(out, "address", json_text(v, "url"));
	output_member(out, "line for a policy",
		      json_text(v, "policy")[0] != '\0' ? json_text(v, "policy")
						       : "none, nodes do not take this address: set public_endpoint = https://... in comity.conf");
	for (size_t i = 0; i < json_array_size(logs); i++) {
		const json_t *one = json_array_get(logs, i);

		buf_add_text(out, "log ");
		output_printable(out, json_text(one, "origin"));
		if (strcmp(json_text(one, "origin"), json_text(one, "key_name")) != 0) {
			buf_add_text(out, " (key ");
			output_printable(out, json_text(one, "key_name"));
			buf_add_text(out, ")");
		}
		if (json_bool(one, "cosigned")) {
			buf_add_format(out, ": size %lld, ", (long long)json_int(one, "size"));
			output_time(out, json_text(one, "time"));
			buf_add_u8(out, '\n');
		} else {
			buf_add_text(out, ": nothing cosigned yet\n");
		}
	}
}

/* A policy's names have no slash to trip over, but the key's name is what people know it by. A line that every node would
 * refuse is not shown. */
static void put_policy(json_t *v, const struct note_key *self, const char *url)
{
	AUTO_BUF line = { 0 };

	if (!is_reached(url)) {
		json_put_text(v, "policy", "");
		return;
	}
	buf_init(&line, 4 * KIB);
	buf_add_format(&line, "witness %s ", self->name);
	note_key_write(self, &line);
	buf_add_format(&line, " %s", url);
	json_put_text(v, "policy", buf_text(&line));
}

static bool show(const char *path, json_t *v, struct err *e)
{
	AUTO_WITNESS_FOLDER f = { .fd = -1 };
	AUTO_WATCHED logs = { 0 };
	struct note_key self;
	char url[600];

	if (!witness_folder_open(path, &f, e) || !witness_home_public(f.fd, &self, e) || !witness_logs_read(&f, &logs, e))
		return false;
	witness_folder_url(&f, url);
	put_key(v, &self);
	json_put_text(v, "url", url);
	put_policy(v, &self, url);
	return put_logs(v, &f, &self, &logs, e);
}

static int show_run(const struct args *a)
{
	AUTO_JSON *v = json_object();
	struct err e;

	return show(a->positional[0], v, &e) ? output_value(a, v, print_show) : command_failed(&e);
}

/* --- logs ---------------------------------------------------------------------------------------------- */

/* Lines that are there, without the one of this origin ("" : all). */
static bool logs_without(const struct watched *logs, const char *origin, struct buf *text, struct err *e)
{
	for (size_t i = 0; i < logs->count; i++) {
		const struct watched one = { .at = &logs->at[i], .count = 1 };

		if (strcmp(logs->at[i].origin, origin) != 0)
			watched_write(&one, text);
	}
	return buf_check(text, "logs", e);
}

/* In a home the register says which logs are watched, and what is written here would be written over. */
static bool own_logs(const struct witness_folder *f, struct err *e)
{
	return config_text(&f->config, party)[0] == '\0' ||
	       err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "the witness of a home watches the logs of its register; nothing else can be added");
}

static bool same_key(const struct note_key *a, const struct note_key *b)
{
	return note_key_same(a, b) && strcmp(a->name, b->name) == 0;
}

/* The log that the command names: a list of one. */
static bool log_named(const struct args *a, struct watched *ret, struct err *e)
{
	const char *vkey = a->positional[1], *origin;
	struct note_key key;
	AUTO_BUF text = { 0 };

	buf_init(&text, 8 * KIB);
	if (!note_key_parse(bytes_of(vkey), &key, e))
		return err_note(e, "\"%.100s\" is no key of a log, as NAME+8 hex+base64", vkey);
	if (key.type != NOTE_ED25519)
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "the key of %.100s is not one of a log (type 0x01), but of a witness", key.name);
	if (!origin_read(args_value(a, "origin"), &origin, e) ||
	    !log_line(&text, vkey, strlen(vkey), a->positional_count > 2 ? a->positional[2] : "", e))
		return false;
	if (origin != NULL)
		buf_add_format(&text, "origin %s\n", origin);
	return buf_check(&text, "the log's line", e) && watched_parse(buf_bytes(&text), ret, e);
}

static bool told(const char *origin, const char *what, struct err *e)
{
	AUTO_BUF out = { 0 };

	buf_init(&out, 4 * KIB);
	buf_add_text(&out, "log ");
	output_printable(&out, origin);
	buf_add_format(&out, ": %s\n", what);
	return output_write(&out, e);
}

static bool add_log(const struct args *a, struct err *e)
{
	AUTO_WITNESS_FOLDER f = { .fd = -1 };
	AUTO_WATCHED logs = { 0 }, one = { 0 }, more = { 0 };
	const struct watched_log *l, *there;
	AUTO_BUF text = { 0 };

	buf_init(&text, WITNESS_LOGS_BYTES_MAX);
	if (!log_named(a, &one, e) || !witness_folder_open(a->positional[0], &f, e) || !own_logs(&f, e) || !witness_logs_lock(&f, e) ||
	    !witness_logs_read(&f, &logs, e))
		return false;
	l = &one.at[0];
	there = watched_find(&logs, l->origin);
	if (there != NULL && !same_key(&there->key, &l->key))
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE,
			       "%.200s is watched already, with another key: a log has one; when it has changed, comity witness remove-log comes first",
			       l->origin);
	if (there != NULL && (l->url[0] == '\0' || strcmp(l->url, there->url) == 0))
		return told(l->origin, "is watched already", e);
	if (!logs_without(&logs, l->origin, &text, e))
		return false;
	watched_write(&one, &text);
	return buf_check(&text, "logs", e) && watched_parse(buf_bytes(&text), &more, e) && witness_logs_write(&f, &more, e) &&
	       told(l->origin, there == NULL ? "is watched now" : "has another address now", e);
}

/* By its origin, or by its key, when that is of one log alone. */
static bool log_find(const struct watched *logs, const char *name, const struct watched_log **ret, struct err *e)
{
	const struct watched_log *found = watched_find(logs, name), *other = NULL;
	struct note_key key;
	bool by_key = found == NULL && note_key_parse(bytes_of(name), &key, NULL);

	for (size_t i = 0; by_key && i < logs->count; i++) {
		if (!same_key(&logs->at[i].key, &key))
			continue;
		other = found;
		found = &logs->at[i];
	}
	if (found == NULL)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "no log %.200s is watched here", name);
	if (other != NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%.100s and %.100s have this key: say the origin of the one", other->origin, found->origin);
	*ret = found;
	return true;
}

static bool remove_log(const struct args *a, struct err *e)
{
	AUTO_WITNESS_FOLDER f = { .fd = -1 };
	AUTO_WATCHED logs = { 0 }, fewer = { 0 };
	const struct watched_log *found = NULL;
	AUTO_BUF text = { 0 };

	buf_init(&text, WITNESS_LOGS_BYTES_MAX);
	return witness_folder_open(a->positional[0], &f, e) && own_logs(&f, e) && witness_logs_lock(&f, e) && witness_logs_read(&f, &logs, e) &&
	       log_find(&logs, a->positional[1], &found, e) && logs_without(&logs, found->origin, &text, e) &&
	       watched_parse(buf_bytes(&text), &fewer, e) && witness_logs_write(&f, &fewer, e);
}

static int add_log_run(const struct args *a)
{
	struct err e;

	return command_ended(add_log(a, &e), &e);
}

static int remove_log_run(const struct args *a)
{
	struct err e;

	return command_ended(remove_log(a, &e), &e);
}

/* --- a new key ------------------------------------------------------------------------------------------- */

static int new_key_run(const struct args *a)
{
	AUTO_WITNESS_FOLDER f = { .fd = -1 };
	AUTO_JSON *v = json_object();
	struct note_key self;
	const char *home;
	struct err e;

	if (!home_of(a, &home, &e) || !witness_folder_open(home, &f, &e) || !witness_folder_new_key(&f, &self, &e))
		return command_failed(&e);
	put_key(v, &self);
	json_put_text(v, "next", config_text(&f.config, party)[0] == '\0'
					 ? "tell those who name this witness in a policy its new key"
					 : "restart the node and have its new entry admitted to the register (comity register describe)");
	return output_value(a, v, print_key);
}

const struct command witness_commands[] = {
	{ .name = "init", .words = "make the folder of a witness alone", .arguments = "DIR", .positional_min = 1, .positional_max = 1,
	  .options = init_witness_options, .run = init_run },
	{ .name = "serve", .words = "run a witness alone until a signal ends it", .arguments = "DIR", .positional_min = 1,
	  .positional_max = 1, .options = no_options, .run = serve_run_witness },
	{ .name = "show", .words = "name, key, address, line for a policy, what was cosigned", .arguments = "DIR", .positional_min = 1,
	  .positional_max = 1, .options = show_options, .run = show_run },
	{ .name = "add-log", .words = "watch one more log", .arguments = "DIR VKEY [URL]", .positional_min = 2, .positional_max = 3,
	  .options = add_log_options, .run = add_log_run },
	{ .name = "remove-log", .words = "cosign a log no more; what was cosigned stays known", .arguments = "DIR ORIGIN", .positional_min = 2,
	  .positional_max = 2, .options = no_options, .run = remove_log_run },
	{ .name = "new-key", .words = "take a new key, after the state of the old one was lost", .arguments = "",
	  .options = new_key_options, .run = new_key_run },
	{ 0 },
};
