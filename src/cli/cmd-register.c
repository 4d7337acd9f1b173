/* Who is who: describing ourselves, pinning others, and, at the secretariat, the register itself. */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "exchange/config.h"
#include "log/note.h"
#include "seal/dsse.h"
#include "statement/act.h"

#define ROOT_DAYS_DEFAULT 730u
#define ROOT_DAYS_MAX 3650u

static const struct option plain_options[] = { OPTION_HOME, OPTION_JSON, OPTION_END };
static const struct option output_options[] = {
	OPTION_HOME, OPTION_JSON, { "output", 'o', OPTION_VALUE, "FILE", "where it goes" }, OPTION_END,
};

/* --- ourselves and pins ------------------------------------------------------------------------ */

static void print_described(const json_t *v, struct buf *out)
{
	output_member(out, "fingerprint", json_text(v, "fingerprint"));
}

static void print_entry(const json_t *v, struct buf *out)
{
	output_member(out, "entry", json_text(v, "hash"));
}

/* What others would miss at 02:10; nothing is wrong with the entry itself. */
static bool warn_of_gaps(struct bytes entry, struct err *e)
{
	AUTO_ACT *act = NULL;

	if (!act_parse(entry, &act, e))
		return false;
	if (json_bytes(act->statement->body, "endpoint").len == 0)
		fputs("comity: no endpoint: nobody can reach you (comity.conf; restart, describe again)\n", stderr);
	if (json_bytes(act->statement->body, "phone").len == 0)
		fputs("comity: no telephone: nobody can call you (comity.conf; restart, describe again)\n", stderr);
	return true;
}

static int describe_command(const struct args *a)
{
	const char *path = args_value(a, "output");
	AUTO_JSON *answer = NULL;
	AUTO_CLIENT *c = NULL;
	struct err e;

	if (!client_open(a, &c, &e) || !client_call(c, "register-describe", NULL, &answer, &e))
		return command_failed(&e);
	if (!warn_of_gaps(json_bytes(answer, "act"), &e) ||
	    (path != NULL && !file_write(AT_FDCWD, path, json_bytes(answer, "act"), 0644, false, &e)))
		return command_failed(&e);
	return output_value(a, answer, print_described);
}

static const struct option pin_options[] = {
	OPTION_HOME, OPTION_JSON, { "fingerprint", 0, OPTION_VALUE, "HEX", "as the other side read it out on the telephone" }, OPTION_END,
};

static void print_pinned(const json_t *v, struct buf *out)
{
	output_member(out, "pinned", json_text(v, "party"));
}

/* A file's text as the member of a call. */
static bool file_member(const char *path, const char *member, json_t **ret, struct err *e)
{
	AUTO_BUF text = { 0 };
	json_t *value;

	buf_init(&text, REGISTER_BYTES_MAX);
	if (!input_read(path, &text, e))
		return false;
	value = json_string_of(buf_bytes(&text));
	if (value == NULL)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "%s is not UTF-8 text", path);
	*ret = json_object();
	json_put(*ret, member, value);
	return true;
}

static int pin_command(const struct args *a)
{
	const char *fingerprint = args_value(a, "fingerprint");
	json_t *in = NULL;
	struct err e;

	if (fingerprint == NULL) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT,
			      "give --fingerprint HEX, compared by telephone and not taken from the same file");
		return command_failed(&e);
	}
	if (!file_member(a->positional[0], "act", &in, &e))
		return command_failed(&e);
	json_put_text(in, "hash", fingerprint);
	return output_call(a, "register-pin", in, print_pinned);
}

/* --- the secretariat --------------------------------------------------------------------------- */

static int admit_command(const struct args *a)
{
	json_t *in = NULL;
	struct err e;

	return file_member(a->positional[0], "act", &in, &e) ? output_call(a, "register-admit", in, print_entry) : command_failed(&e);
}

static void print_published(const json_t *v, struct buf *out)
{
	buf_add_format(out, "published: %" PRId64 " entries, log size %" PRId64 "\n", json_int(v, "entries"), json_int(v, "size"));
}

static int publish_command(const struct args *a)
{
	return output_call(a, "register-publish", NULL, print_published);
}

static const struct option root_options[] = {
	OPTION_HOME, OPTION_JSON,
	{ "keys-dir", 0, OPTION_VALUE, "DIR", "folder for the new root keys root-1.key ...; must not exist" },
	{ "keys", 0, OPTION_VALUE, "N", "how many root keys (default 3)" },
	{ "threshold", 0, OPTION_VALUE, "K", "how many of them must sign (default 2)" },
	{ "expires", 0, OPTION_VALUE, "DAYS", "days until it must be renewed (default 730)" },
	{ "envelope", 0, OPTION_VALUE, "FILE", "hand in this signed root instead of making keys" },
	{ "output", 'o', OPTION_VALUE, "FILE", "also write the signed root" },
	{ "offline", 0, OPTION_FLAG, NULL, "from the home's files, before its node runs; hand it in later" },
	OPTION_END,
};

struct root {
	uint64_t keys, threshold, days;
	struct sign_key *key[ENVELOPE_SIGNATURES_MAX];
};

static bool root_numbers(const struct args *a, struct root *r, struct err *e)
{
	r->keys = 3;
	r->threshold = 2;
	r->days = ROOT_DAYS_DEFAULT;
	if ((args_has(a, "keys") && !num_parse_u64(args_value(a, "keys"), ENVELOPE_SIGNATURES_MAX, &r->keys)) ||
	    (args_has(a, "threshold") && !num_parse_u64(args_value(a, "threshold"), ENVELOPE_SIGNATURES_MAX, &r->threshold)) ||
	    (args_has(a, "expires") && !num_parse_u64(args_value(a, "expires"), ROOT_DAYS_MAX, &r->days)))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "--keys, --threshold and --expires want numbers (at most %u keys)",
			       ENVELOPE_SIGNATURES_MAX);
	if (r->keys == 0 || r->threshold == 0 || r->threshold > r->keys || r->days == 0)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "of %" PRIu64 " keys %" PRIu64 " cannot be asked to sign", r->keys,
			       r->threshold);
	return true;
}

static bool root_key_new(const char *dir, uint64_t number, struct sign_key **ret, struct err *e)
{
	struct sign_key *k = sign_key_new();
	char path[4200], comment[32];
	AUTO_BUF_WIPE file = { 0 };

	buf_init(&file, 4 * KIB);
	snprintf(path, sizeof(path), "%.4096s/root-%" PRIu64 ".key", dir, number);
	snprintf(comment, sizeof(comment), "root %" PRIu64, number);
	sign_key_write(k, comment, &file);
	if (!buf_check(&file, "the key", e) || !file_write(AT_FDCWD, path, buf_bytes(&file), 0600, true, e)) {
		sign_key_free(k);
		return false;
	}
	*ret = k;
	return true;
}

/* Whose root it is: what the node says of itself, or what its files say before it runs. */
struct secretariat {
	char party[16], authority[CONFIG_VALUE_BYTES_MAX];
	char register_key[2 * SIGN_PUBLIC_BYTES + 1], origin[CONFIG_VALUE_BYTES_MAX];
	char log[2 * CONFIG_VALUE_BYTES_MAX];
	bool exercise;
};

static bool secretariat_running(const struct args *a, struct secretariat *ret, struct err *e)
{
	AUTO_JSON *answer = NULL;
	AUTO_CLIENT *c = NULL;
	AUTO_ACT *act = NULL;

	if (!client_open(a, &c, e) || !client_call(c, "register-describe", NULL, &answer, e) ||
	    !act_parse(json_bytes(answer, "act"), &act, e))
		return false;
	const json_t *entry = act->statement->body;
	struct bytes log = json_bytes(entry, "log");
	snprintf(ret->party, sizeof(ret->party), "%s", act->statement->from);
	snprintf(ret->authority, sizeof(ret->authority), "%s", act->statement->authority);
	snprintf(ret->log, sizeof(ret->log), "%s", json_text(entry, "log"));
	snprintf(ret->origin, sizeof(ret->origin), "%.*s", (int)bytes_find(log, '+'), json_text(entry, "log"));
	snprintf(ret->register_key, sizeof(ret->register_key), "%s",
		 json_text(json_array_get(json_object_get(entry, "keys"), 0), "key"));
	ret->exercise = act->statement->exercise;
	return true;
}

static bool public_of(int home, const char *path, uint8_t ret[static SIGN_PUBLIC_BYTES], struct err *e)
{
	AUTO_SIGN_KEY *k = NULL;
	AUTO_BUF_WIPE file = { 0 };

	buf_init(&file, 4 * KIB);
	if (!file_read(home, path, &file, e) || !sign_key_parse(buf_bytes(&file), &k, e))
		return false;
	memcpy(ret, sign_key_public(k), SIGN_PUBLIC_BYTES);
	return true;
}

static bool secretariat_at_rest(const struct args *a, struct secretariat *ret, struct err *e)
{
	uint8_t sign[SIGN_PUBLIC_BYTES], log[SIGN_PUBLIC_BYTES];
	struct config *c = malloc(sizeof(*c));
	struct note_key key;
	const char *path;
	AUTO_FD home = -1;
	AUTO_BUF text = { 0 };
	bool ok;

	if (c == NULL)
		abort();
	buf_init(&text, KIB);
	ok = home_of(a, &path, e);
	if (ok) {
		home = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ok = home >= 0 || err_system(e, "cannot open %s", path);
	}
	ok = ok && config_load(home, c, e) && public_of(home, "keys/sign.key", sign, e) && public_of(home, "keys/log.key", log, e);
	if (ok) {
		config_log_origin(c, ret->origin);
		note_key_make(ret->origin, NOTE_ED25519, log, &key);
		note_key_write(&key, &text);
		snprintf(ret->log, sizeof(ret->log), "%s", buf_text(&text));
		snprintf(ret->party, sizeof(ret->party), "%.15s", config_text(c, party));
		snprintf(ret->authority, sizeof(ret->authority), "%s", config_text(c, authority));
		hex_write(BYTES_ARRAY(sign), ret->register_key);
		ret->exercise = config_is_exercise(c);
	}
	free(c);
	return ok;
}

static json_t *root_body(const struct root *r, const struct secretariat *own)
{
	json_t *body = json_object(), *keys = json_array();

	for (uint64_t i = 0; i < r->keys; i++) {
		char hex[2 * SIGN_PUBLIC_BYTES + 1];

		hex_write(bytes_from(sign_key_public(r->key[i]), SIGN_PUBLIC_BYTES), hex);
		if (json_array_append_new(keys, json_string(hex)) != 0)
			abort();
	}
	json_put_time(body, "expires", clock_now_ms() + (int64_t)r->days * DAY_MS);
	json_put(body, "keys", keys);
	json_put_text(body, "log", own->log);
	json_put_text(body, "origin", own->origin);
	json_put_text(body, "register_key", own->register_key);
	json_put_int(body, "threshold", (int64_t)r->threshold);
	json_put_int(body, "version", 1);
	return body;
}

static bool root_payload(const struct root *r, const struct secretariat *own, struct buf *out, struct err *e)
{
	AUTO_JSON *v = json_object();
	json_t *used = json_object();
	char id_text[ID_TEXT_LEN + 1];
	struct id id;

	chance_fill(id.at, sizeof(id.at));
	id_write(&id, id_text);
	json_put_text(used, "origin", "");
	json_put_int(used, "size", 0);
	json_put_time(used, "time", clock_now_ms());
	json_put_text(v, "authority", own->authority);
	json_put(v, "body", root_body(r, own));
	json_put_text(v, "case", "");
	json_put_bool(v, "exercise", own->exercise);
	json_put_text(v, "from", own->party);
	json_put_text(v, "id", id_text);
	json_put_text(v, "kind", "register-root");
	json_put_text(v, "legal_basis", "UNCC");
	json_put(v, "refs", json_array());
	json_put(v, "register", used);
	json_put_time(v, "time", clock_now_ms());
	json_put_text(v, "to", "*");
	json_put_int(v, "v", 1);
	json_put_text(v, "via", "comity");
	return json_write_canonical(v, out, e) && buf_check(out, "the root", e);
}

static bool root_envelope(const struct root *r, const struct secretariat *own, struct buf *out, struct err *e)
{
	struct envelope_signature sigs[ENVELOPE_SIGNATURES_MAX];
	struct bytes type = statement_type(kind_find(bytes_of("register-root")));
	AUTO_STATEMENT *check = NULL;
	AUTO_BUF payload = { 0 }, pae = { 0 };

	buf_init(&payload, STATEMENT_BYTES_MAX);
	buf_init(&pae, ENVELOPE_BYTES_MAX);
	if (!root_payload(r, own, &payload, e) || !statement_parse(type, buf_bytes(&payload), &check, e))
		return false;
	pae_write(type, buf_bytes(&payload), &pae);
	if (!buf_check(&pae, "the root", e))
		return false;
	for (uint64_t i = 0; i < r->keys; i++) {
		key_id_write(sign_key_public(r->key[i]), sigs[i].keyid);
		sign_key_sign(r->key[i], buf_bytes(&pae), sigs[i].sig);
	}
	return envelope_write_of(type, buf_bytes(&payload), sigs, (size_t)r->keys, out, e);
}

static bool root_make(const struct args *a, struct root *r, struct buf *out, struct err *e)
{
	struct secretariat own = { 0 };
	const char *dir = args_value(a, "keys-dir");

	if (dir == NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "where do the root keys go? give --keys-dir DIR");
	if (!root_numbers(a, r, e) || !(args_has(a, "offline") ? secretariat_at_rest(a, &own, e) : secretariat_running(a, &own, e)))
		return false;
	if (mkdir(dir, 0700) != 0)
		return err_system(e, "cannot make the folder %s", dir);
	for (uint64_t i = 0; i < r->keys; i++)
		if (!root_key_new(dir, i + 1, &r->key[i], e))
			return false;
	return root_envelope(r, &own, out, e);
}

static void print_root(const json_t *v, struct buf *out)
{
	output_member(out, "trust root", json_text(v, "fingerprint"));
	buf_add_format(out, "version: %" PRId64 "\n", json_int(v, "version"));
}

/* Told without a node: the fingerprint is the hash of version 1. */
static bool root_told(struct bytes envelope, json_t **ret, struct err *e)
{
	AUTO_ENVELOPE v = { 0 };

	if (!envelope_parse(envelope, &v, e))
		return false;
	*ret = json_object();
	json_put_hex(*ret, "fingerprint", BYTES_ARRAY(v.hash));
	json_put_int(*ret, "version", 1);
	return true;
}

static bool root_hand_in(const struct args *a, struct bytes envelope, json_t **ret, struct err *e)
{
	AUTO_CLIENT *c = NULL;
	json_t *in;

	if (!client_open(a, &c, e))
		return false;
	in = json_object();
	json_put_bytes(in, "envelope", envelope);
	return client_call(c, "register-root", in, ret, e);
}

static int root_command(const struct args *a)
{
	const char *given = args_value(a, "envelope"), *path = args_value(a, "output");
	AUTO_JSON *answer = NULL;
	struct root r = { 0 };
	AUTO_BUF envelope = { 0 };
	struct err e;
	bool ok;

	buf_init(&envelope, ENVELOPE_BYTES_MAX);
	if (args_has(a, "offline") && (path == NULL || given != NULL)) {
		(void)err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "--offline makes a file: give --output FILE, and no --envelope");
		return command_failed(&e);
	}
	ok = given != NULL ? input_read(given, &envelope, &e) : root_make(a, &r, &envelope, &e);
	for (size_t i = 0; i < ENVELOPE_SIGNATURES_MAX; i++)
		sign_key_free(r.key[i]);
	ok = ok && (path == NULL || file_write(AT_FDCWD, path, buf_bytes(&envelope), 0644, true, &e)) &&
	     (args_has(a, "offline") ? root_told(buf_bytes(&envelope), &answer, &e) : root_hand_in(a, buf_bytes(&envelope), &answer, &e));
	return ok ? output_value(a, answer, print_root) : command_failed(&e);
}

/* --- the register in use ----------------------------------------------------------------------- */

static void print_nothing(const json_t *v, struct buf *out)
{
}

static int refresh_command(const struct args *a)
{
	return output_call(a, "register-refresh", NULL, print_nothing);
}

static void print_loaded(const json_t *v, struct buf *out)
{
	buf_add_format(out, "entries: %" PRId64 "\n", json_int(v, "entries"));
	output_lines(out, json_text(v, "problems"));
}

static int load_command(const struct args *a)
{
	json_t *in = NULL;
	struct err e;

	if (!file_member(a->positional[0], "bundle", &in, &e))
		return command_failed(&e);
	return output_call(a, "register-load", in, print_loaded);
}

static int bundle_command(const struct args *a)
{
	const char *path = args_value(a, "output");
	AUTO_JSON *answer = NULL;
	AUTO_CLIENT *c = NULL;
	AUTO_BUF text = { 0 };
	struct err e;

	buf_init(&text, REGISTER_BYTES_MAX);
	if (!client_open(a, &c, &e) || !client_call(c, "register-bundle", NULL, &answer, &e))
		return command_failed(&e);
	if (path != NULL)
		return command_ended(file_write(AT_FDCWD, path, json_bytes(answer, "bundle"), 0644, false, &e), &e);
	buf_add(&text, json_bytes(answer, "bundle"));
	return command_ended(output_write(&text, &e), &e);
}

#define ONE_FILE .arguments = "FILE", .positional_min = 1, .positional_max = 1
#define NO_WORDS .arguments = ""

const struct command register_commands[] = {
	{ .name = "describe", .words = "our own entry, self-signed, and its fingerprint", NO_WORDS, .options = output_options,
	  .run = describe_command },
	{ .name = "pin", .words = "trust a party's own entry whose fingerprint was compared by telephone", ONE_FILE,
	  .options = pin_options, .run = pin_command },
	{ .name = "show", .words = "parties, contact points, trust root", NO_WORDS, .options = plain_options, .run = register_show_command },
	{ .name = "refresh", .words = "fetch the register now", NO_WORDS, .options = plain_options, .run = refresh_command },
	{ .name = "load", .words = "load a register bundle that came another way", ONE_FILE, .options = plain_options,
	  .run = load_command },
	{ .name = "bundle", .words = "the bundle in use, as a file", NO_WORDS, .options = output_options, .run = bundle_command },
	{ .name = "root", .words = "secretariat: make root keys and sign the trust root", NO_WORDS, .options = root_options,
	  .run = root_command },
	{ .name = "admit", .words = "secretariat: take a party's own entry into the register", ONE_FILE,
	  .options = plain_options, .run = admit_command },
	{ .name = "policy", .words = "which witnesses a party's log needs (secretariat, or a home with pins alone)",
	  .arguments = "PARTY FILE", .positional_min = 2, .positional_max = 2, .options = register_policy_options,
	  .run = register_policy_command },
	{ .name = "publish", .words = "secretariat: publish a snapshot", NO_WORDS, .options = plain_options,
	  .run = publish_command },
	{ 0 },
};
