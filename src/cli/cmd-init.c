/* comity init: a new home, with all its keys, each for one purpose only. The settings are written last: a home
 * that was not finished has none, and does not start. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "daemon/tls-key.h"
#include "exchange/approvers.h"
#include "exchange/identity.h"
#include "exchange/config.h"
#include "exchange/witness-home.h"
#include "log/note.h"
#include "seal/age.h"
#include "seal/key.h"

const struct option init_options[] = {
	OPTION_JSON,
	{ "party", 'p', OPTION_VALUE, "CODE", "ISO 3166 code of the party" },
	{ "name", 'n', OPTION_VALUE, "NAME", "the party's name" },
	{ "exercise", 0, OPTION_FLAG, NULL, "every statement of this home is an exercise" },
	{ "fictional", 0, OPTION_FLAG, NULL, "an invented party, and said so" },
	{ "approver", 'a', OPTION_MANY, "NAME:ROLE[,ROLE]:KEY", "a person who reviews, authorises or orders; KEY by comity key new" },
	{ "set", 's', OPTION_MANY, "KEY=VALUE", "a setting of comity.conf" },
	OPTION_END,
};

/* --- settings and people ----------------------------------------------------------------------- */

static bool apply_setting(struct config *c, const char *assignment, struct err *e)
{
	struct bytes rest = bytes_of(assignment), name = bytes_cut(&rest, '=');
	enum config_key key;

	if (name.len == strlen(assignment))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "--set wants KEY=VALUE, not \"%.60s\"", assignment);
	if (!config_find(name, &key))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "there is no setting \"%.*s\"", (int)name.len, assignment);
	if (memchr(rest.at, '\n', rest.len) != NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "a setting is one line");
	return config_set(c, key, assignment + name.len + 1, e);
}

static bool code_is_valid(const char *code)
{
	size_t len = strlen(code);

	for (size_t i = 0; i < len; i++)
		if (code[i] < 'A' || code[i] > 'Z')
			return false;
	return len >= 2 && len <= 8;
}

static bool settings_of(const struct args *a, struct config *c, struct err *e)
{
	const char *party = args_value(a, "party"), *name = args_value(a, "name");

	config_defaults(c);
	if (party == NULL || name == NULL)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "whose home is it? give --party CODE and --name NAME");
	if (!code_is_valid(party))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "a party's code is 2 to 8 letters A-Z, as XA, not \"%.20s\"", party);
	if (!config_set(c, CONFIG_party, party, e) || !config_set(c, CONFIG_name, name, e) ||
	    (args_has(a, "exercise") && !config_set(c, CONFIG_exercise, "yes", e)) ||
	    (args_has(a, "fictional") && !config_set(c, CONFIG_fictional, "yes", e)))
		return false;
	for (size_t i = 0; args_many(a, "set", i) != NULL; i++)
		if (!apply_setting(c, args_many(a, "set", i), e))
			return false;
	return true;
}

/* "Name:role,role:hex" into a line of HOME/approvers; the name may hold colons. */
static bool put_approver(const char *given, struct buf *out, struct err *e)
{
	const char *key = strrchr(given, ':'), *roles = key;

	while (roles != NULL && roles > given && roles[-1] != ':')
		roles--;
	if (key == NULL || roles == NULL || roles <= given + 1)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "--approver wants NAME:ROLE[,ROLE]:KEY, not \"%.60s\"", given);
	buf_add(out, bytes_from(given, (size_t)(roles - 1 - given)));
	buf_add_u8(out, '\t');
	buf_add(out, bytes_from(roles, (size_t)(key - roles)));
	buf_add_u8(out, '\t');
	buf_add_text(out, key + 1);
	buf_add_u8(out, '\n');
	return true;
}

static bool approvers_of(const struct args *a, struct buf *out, struct err *e)
{
	struct approvers *check = malloc(sizeof(*check));
	bool ok = true;

	if (check == NULL)
		abort();
	buf_add_text(out, "# people who review, authorise and order: name, roles, public key, with tabs between\n");
	for (size_t i = 0; ok && args_many(a, "approver", i) != NULL; i++)
		ok = put_approver(args_many(a, "approver", i), out, e);
	ok = ok && buf_check(out, "approvers", e) && approvers_parse(buf_bytes(out), check, e);
	free(check);
	return ok;
}

/* --- the folder -------------------------------------------------------------------------------- */

static bool folder_new(const char *path, int *ret, struct err *e)
{
	AUTO_FD fd = -1;
	DIR *dir;
	bool empty = true;

	if (!dir_make(AT_FDCWD, path, 0700, e))
		return false;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_system(e, "cannot open %s", path);
	dir = opendir(path);
	if (dir == NULL)
		return err_system(e, "cannot look into %s", path);
	for (const struct dirent *d = readdir(dir); d != NULL; d = readdir(dir))
		empty = empty && (bytes_is(bytes_of(d->d_name), ".") || bytes_is(bytes_of(d->d_name), ".."));
	closedir(dir);
	if (!empty)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "%s is not empty: a home begins in a new folder", path);
	*ret = fd;
	fd = -1;
	return true;
}

static bool folders_make(int home, struct err *e)
{
	static const char *const names[] = { "keys", "store", "blobs", "log", "run", "backup", "mirror" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!dir_make(home, names[i], 0700, e))
			return false;
	return true;
}

static bool sign_key_make(int home, const char *path, const char *party, uint8_t public_key[static SIGN_PUBLIC_BYTES],
			  struct err *e)
{
	AUTO_SIGN_KEY *k = sign_key_new();
	AUTO_BUF_WIPE file = { 0 };

	buf_init(&file, 4 * KIB);
	sign_key_write(k, party, &file);
	memcpy(public_key, sign_key_public(k), SIGN_PUBLIC_BYTES);
	return buf_check(&file, "the key", e) && file_write(home, path, buf_bytes(&file), 0600, true, e);
}

static bool identity_make(int home, struct age_recipient *recipient, struct err *e)
{
	AUTO_SEAL_IDENTITY *identity = seal_identity_new();
	AUTO_BUF_WIPE file = { 0 };

	buf_init(&file, 4 * KIB);
	seal_identity_write(identity, &file);
	seal_identity_recipient(identity, recipient);
	return buf_check(&file, "the identity", e) && file_write(home, "keys/seal.key", buf_bytes(&file), 0600, true, e);
}

static bool tls_make(int home, const char *party, uint8_t spki[static SHA256_BYTES], struct err *e)
{
	AUTO_BUF_WIPE key = { 0 };
	AUTO_BUF certificate = { 0 };

	buf_init(&key, 16 * KIB);
	buf_init(&certificate, 16 * KIB);
	return tls_key_make(party, &key, &certificate, spki, e) && file_write(home, "keys/tls.key", buf_bytes(&key), 0600, true, e) &&
	       file_write(home, "keys/tls.crt", buf_bytes(&certificate), 0644, true, e);
}

/* The name of a node's witness: its log's, and what it is. */
static bool witness_make(int home, const char *origin, struct identity *public, struct err *e)
{
	char name[CONFIG_ORIGIN_BYTES_MAX + sizeof("/witness")];

	snprintf(name, sizeof(name), "%s/witness", origin);
	public->has_witness = true;
	return witness_home_make(home, name, &public->witness, e);
}

static bool keys_make(int home, const struct config *c, json_t *v, struct err *e)
{
	char recipient[AGE_RECIPIENT_LEN + 1], origin[CONFIG_ORIGIN_BYTES_MAX + 1];
	const char *party = config_text(c, party);
	uint8_t log[SIGN_PUBLIC_BYTES];
	struct identity public = { .since = clock_now_ms() };
	AUTO_BUF text = { 0 }, file = { 0 };

	buf_init(&text, 4 * KIB);
	buf_init(&file, 4 * KIB);
	config_log_origin(c, origin);
	if (!sign_key_make(home, "keys/sign.key", party, public.sign, e) || !sign_key_make(home, "keys/log.key", party, log, e) ||
	    !identity_make(home, &public.seal, e) || !tls_make(home, party, public.tls, e) ||
	    !witness_make(home, origin, &public, e))
		return false;
	note_key_make(origin, NOTE_ED25519, log, &public.log);
	note_key_write(&public.log, &text);
	age_recipient_write(&public.seal, recipient);
	json_put_hex(v, "sign", BYTES_ARRAY(public.sign));
	json_put_text(v, "log", buf_text(&text));
	buf_clear(&text);
	note_key_write(&public.witness, &text);
	json_put_text(v, "witness", buf_text(&text));
	json_put_text(v, "seal", recipient);
	json_put_hex(v, "tls", BYTES_ARRAY(public.tls));
	identity_write(&public, &file);
	return buf_check(&file, "identity", e) && file_write(home, "identity", buf_bytes(&file), 0644, true, e);
}

static void print_made(const json_t *v, struct buf *out)
{
	buf_add_text(out, "a home for ");
	output_printable(out, json_text(v, "name"));
	buf_add_format(out, " (%s) in ", json_text(v, "party"));
	output_printable(out, json_text(v, "home"));
	buf_add_u8(out, '\n');
	output_member(out, "signing key", json_text(v, "sign"));
	output_member(out, "log key", json_text(v, "log"));
	output_member(out, "witness key", json_text(v, "witness"));
	output_member(out, "sealing key", json_text(v, "seal"));
	output_member(out, "TLS pin", json_text(v, "tls"));
	output_member(out, "next", json_text(v, "next"));
}

static bool home_make(const struct args *a, const struct config *c, struct buf *people, json_t *v, struct err *e)
{
	AUTO_FD home = -1;
	AUTO_BUF settings = { 0 };

	buf_init(&settings, 256 * KIB);
	config_write(c, &settings);
	return buf_check(&settings, "comity.conf", e) && folder_new(a->positional[0], &home, e) && folders_make(home, e) &&
	       keys_make(home, c, v, e) && file_write(home, "approvers", buf_bytes(people), 0644, true, e) &&
	       file_write(home, "comity.conf", buf_bytes(&settings), 0644, true, e);
}

int init_command(const struct args *a)
{
	struct config *c = malloc(sizeof(*c));
	AUTO_JSON *v = json_object();
	AUTO_BUF people = { 0 }, next = { 0 };
	struct err e;
	bool ok;

	if (c == NULL)
		abort();
	buf_init(&people, APPROVERS_BYTES_MAX);
	buf_init(&next, 8 * KIB);
	ok = settings_of(a, c, &e) && approvers_of(a, &people, &e) && home_make(a, c, &people, v, &e);
	if (ok) {
		buf_add_format(&next, "comity serve --home %.4000s", a->positional[0]);
		json_put_text(v, "home", a->positional[0]);
		json_put_text(v, "party", config_text(c, party));
		json_put_text(v, "name", config_text(c, name));
		json_put_text(v, "next", buf_text(&next));
	}
	free(c);
	return ok ? output_value(a, v, print_made) : command_failed(&e);
}
