/* A running witness holds its state alone, so that the commands ask it as any monitor does; what it answers is
 * believed for its cosignature, not for its TLS certificate. */
#include "cli/witness-folder.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "daemon/tls-key.h"
#include "exchange/identity.h"
#include "exchange/witness-home.h"
#include "log/cosignature.h"
#include "log/witness.h"

#define LOGS_PATH WITNESS_FOLDER "/" WITNESS_LOGS_FILE
#define ASK_S_MAX 5L

static const enum config_key keys[] = { CONFIG_name, CONFIG_listen_public, CONFIG_public_plain, CONFIG_public_endpoint,
					CONFIG_user, CONFIG_sandbox };

void witness_folder_release(struct witness_folder *f)
{
	fd_close_at(&f->fd);
}

bool witness_folder_open(const char *path, struct witness_folder *ret, struct err *e)
{
	ret->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->fd < 0)
		return err_system(e, "cannot open %s", path);
	if (faccessat(ret->fd, "comity.conf", F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "%s is no folder of a witness (comity witness init makes one)", path);
	return config_load(ret->fd, &ret->config, e);
}

static bool tls_make(int dir, const char *name, struct err *e)
{
	uint8_t spki[SHA256_BYTES];
	AUTO_BUF_WIPE key = { 0 };
	AUTO_BUF certificate = { 0 };

	buf_init(&key, 16 * KIB);
	buf_init(&certificate, 16 * KIB);
	return tls_key_make(name, &key, &certificate, spki, e) && dir_make(dir, "keys", 0700, e) &&
	       file_write(dir, "keys/tls.key", buf_bytes(&key), 0600, true, e) &&
	       file_write(dir, "keys/tls.crt", buf_bytes(&certificate), 0644, true, e);
}

/* The common name of a certificate has at most 64 characters (X.520); nobody reads it. */
static const char *common_name(const char *name)
{
	return strlen(name) <= 64 ? name : "witness";
}

bool witness_folder_make(const char *path, const struct config *c, const struct watched *logs, struct note_key *ret, struct err *e)
{
	struct witness_folder f = { .config = *c };
	AUTO_FD dir = -1;
	AUTO_BUF settings = { 0 };

	buf_init(&settings, 16 * KIB);
	config_write_some(c, keys, sizeof(keys) / sizeof(keys[0]), &settings);
	if (!buf_check(&settings, "comity.conf", e) || !dir_make(AT_FDCWD, path, 0700, e))
		return false;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_system(e, "cannot open %s", path);
	if (faccessat(dir, "comity.conf", F_OK, AT_SYMLINK_NOFOLLOW) == 0 || faccessat(dir, WITNESS_FOLDER, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "%s is a home or a witness already", path);
	f.fd = dir;
	return dir_make(dir, "run", 0700, e) && witness_home_make(dir, config_text(c, name), ret, e) && witness_logs_write(&f, logs, e) &&
	       (config_yes(c, CONFIG_public_plain) || tls_make(dir, common_name(config_text(c, name)), e)) &&
	       file_write(dir, "comity.conf", buf_bytes(&settings), 0644, true, e);
}

/* In a home the register entry is made from HOME/identity: the next one names the new key. */
static bool identity_renew(int home, const struct note_key *self, struct err *e)
{
	struct identity v;
	AUTO_BUF text = { 0 };

	buf_init(&text, 8 * KIB);
	if (!file_read(home, "identity", &text, e) || !identity_parse(buf_bytes(&text), &v, e))
		return false;
	v.has_witness = true;
	v.witness = *self;
	buf_clear(&text);
	identity_write(&v, &text);
	return buf_check(&text, "identity", e) && file_write(home, "identity", buf_bytes(&text), 0644, true, e);
}

bool witness_folder_new_key(struct witness_folder *f, struct note_key *ret, struct err *e)
{
	char origin[CONFIG_ORIGIN_BYTES_MAX + 1], name[CONFIG_ORIGIN_BYTES_MAX + sizeof("/witness")];
	bool home = config_text(&f->config, party)[0] != '\0';

	config_log_origin(&f->config, origin);
	snprintf(name, sizeof(name), "%s/witness", origin);
	return witness_home_renew(f->fd, home ? name : config_text(&f->config, name), ret, e) && (!home || identity_renew(f->fd, ret, e));
}

bool witness_logs_read(const struct witness_folder *f, struct watched *ret, struct err *e)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, WITNESS_LOGS_BYTES_MAX);
	if (faccessat(f->fd, LOGS_PATH, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return watched_parse(bytes_of(""), ret, e);
	return file_read(f->fd, LOGS_PATH, &text, e) && watched_parse(buf_bytes(&text), ret, e);
}

bool witness_logs_lock(const struct witness_folder *f, struct err *e)
{
	int status;

	do
		status = flock(f->fd, LOCK_EX);
	while (status != 0 && errno == EINTR);
	return status == 0 || err_system(e, "cannot lock the folder of the witness");
}

bool witness_logs_write(const struct witness_folder *f, const struct watched *logs, struct err *e)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, WITNESS_LOGS_BYTES_MAX);
	watched_write(logs, &text);
	return buf_check(&text, LOGS_PATH, e) && file_write(f->fd, LOGS_PATH, buf_bytes(&text), 0644, true, e);
}

/* "public ADDRESS" of run/addresses. */
static bool address_find(const struct witness_folder *f, char out[static 100])
{
	AUTO_BUF text = { 0 };

	buf_init(&text, 1 * KIB);
	if (!file_read(f->fd, "run/addresses", &text, NULL))
		return false;
	for (struct bytes rest = buf_bytes(&text); rest.len > 0;) {
		struct bytes line = bytes_cut(&rest, '\n');

		if (!bytes_starts(line, "public "))
			continue;
		bytes_text(bytes_slice(line, 7, line.len), out, 100);
		return true;
	}
	return false;
}

void witness_folder_url(const struct witness_folder *f, char out[static 600])
{
	const char *endpoint = config_text(&f->config, public_endpoint);
	char address[100];
	size_t len = strlen(endpoint);

	while (len > 0 && endpoint[len - 1] == '/')
		len--;
	if (len > 0)
		snprintf(out, 600, "%.*s", (int)len, endpoint);
	else
		snprintf(out, 600, "%s://%s", config_yes(&f->config, CONFIG_public_plain) ? "http" : "https",
			 address_find(f, address) ? address : config_text(&f->config, listen_public));
}

/* --- what it last cosigned ---------------------------------------------------------------------------- */

static bool state_open(const struct witness_folder *f, struct store **ret, struct err *e)
{
	AUTO_FD dir = openat(f->fd, WITNESS_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_SIGN_KEY *key = NULL;
	struct note_key self;

	return dir >= 0 ? witness_home_open(dir, &key, &self, ret, e) : err_system(e, "cannot open the folder " WITNESS_FOLDER);
}

bool witness_state_check(const struct witness_folder *f, struct err *e)
{
	struct store *s = NULL;
	struct err why = { 0 };

	if (!state_open(f, &s, &why))
		return why.reason == REASON_BUSY || err_set(e, why.kind, why.reason, "%s", why.text);
	store_close(s);
	return true;
}

static size_t take(char *at, size_t size, size_t count, void *ctx)
{
	struct buf *note = ctx;

	buf_add(note, bytes_from(at, size * count));
	return buf_ok(note) ? size * count : 0;
}

/* Its status; 0: nobody answers. */
static long ask_running(const struct witness_folder *f, const char *origin, struct buf *note)
{
	char hex[2 * SHA256_BYTES + 1], address[100], url[256];
	CURL *c;
	long status = 0;

	if (!address_find(f, address))
		return 0;
	witness_origin_hex(origin, hex);
	snprintf(url, sizeof(url), "%s://%s/%s/checkpoint", config_yes(&f->config, CONFIG_public_plain) ? "http" : "https", address, hex);
	c = curl_easy_init();
	if (c == NULL)
		abort();
	bool ok = curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK && curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_NOPROXY, "*") == CURLE_OK && curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK && curl_easy_setopt(c, CURLOPT_TIMEOUT, ASK_S_MAX) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK && curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_WRITEDATA, note) == CURLE_OK && curl_easy_perform(c) == CURLE_OK &&
		  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK;
	curl_easy_cleanup(c);
	return ok ? status : 0;
}

static bool note_of(struct bytes text, const struct note_key *self, const char *origin, uint64_t *ret_size, int64_t *ret_s, struct err *e)
{
	struct checkpoint c;
	struct note n;

	if (!note_parse(text, &n, e) || !checkpoint_parse(n.text, &c, e) || !cosignature_verify(&n, self, ret_s, e))
		return false;
	*ret_size = c.size;
	return strcmp(c.origin, origin) == 0 || err_set(e, ERR_REJECTED, REASON_MALFORMED, "it is of another log");
}

static bool from_state(struct store *s, const char *origin, bool *ret_found, struct buf *note, struct err *e)
{
	struct query *q = store_query(s, QUERY_witness_get);

	query_bind_text(q, 1, origin);
	bool ok = query_row(q, ret_found, e);
	if (ok && *ret_found)
		buf_add(note, query_bytes(q, 2));
	query_end(q);
	return ok;
}

bool witness_last(const struct witness_folder *f, const struct note_key *self, const char *origin, bool *ret_found, uint64_t *ret_size,
		  int64_t *ret_s, struct err *e)
{
	struct err why = { 0 };
	struct store *s = NULL;
	long status;
	AUTO_BUF note = { 0 };

	buf_init(&note, 2 * NOTE_BYTES_MAX);
	/* The running witness first: whoever opens the state keeps a witness that starts from it. What answers there may be
	 * anybody, when the witness does not run: only its cosignature is believed. */
	status = ask_running(f, origin, &note);
	*ret_found = status == 200 && note_of(buf_bytes(&note), self, origin, ret_size, ret_s, NULL);
	if (*ret_found)
		return true;
	if (!state_open(f, &s, &why)) {
		if (why.reason == REASON_BUSY)
			return status == 404 || err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "the witness runs, and does not say what it cosigned");
		return err_set(e, why.kind, why.reason, "%s", why.text);
	}
	buf_clear(&note);
	bool ok = from_state(s, origin, ret_found, &note, e);
	store_close(s);
	return ok && (!*ret_found || note_of(buf_bytes(&note), self, origin, ret_size, ret_s, e) || err_note(e, "what is stored of %.100s", origin));
}
