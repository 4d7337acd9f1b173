/* Many small files from one server: what decides is that the next ones are under way while one is hashed. Every file
 * has its limit after decompression; what was fetched ahead and is not asked for is bounded, too. Redirects are followed
 * a few times, to https only: a log may stand behind a CDN, and its content proves itself. */
#include "cli/source-https.h"

#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/limits.h"

#define HOST_CONNECTIONS_MAX 8L
#define CONNECT_MS_MAX 20000L
/* A file is given up when less than this comes in as long. */
#define SLOW_BYTES_PER_SECOND 64L
#define SLOW_SECONDS 30L
#define FILE_SECONDS_MAX 600L
#define POLL_MS 500

struct transfer {
	struct transfer *next;
	char path[128];
	CURL *easy;
	struct buf body;
	bool done, too_large;
	CURLcode code;
	long status;
	char words[CURL_ERROR_SIZE];
};

struct https {
	char url[SOURCE_URL_BYTES_MAX + 1], pin[64];
	const volatile sig_atomic_t *stop;
	CURLM *multi;
	struct transfer *transfers;
	uint8_t server[SHA256_BYTES];
	bool server_known;
	int64_t until_us; /* 0: no end */
};

/* --- one file ----------------------------------------------------------------------------------- */

static size_t take_body(char *at, size_t one, size_t len, void *ctx)
{
	struct transfer *t = ctx;

	buf_add(&t->body, bytes_from(at, len));
	if (buf_ok(&t->body))
		return len;
	t->too_large = true;
	return 0;
}

#define SET(option, value) (r = r != CURLE_OK ? r : curl_easy_setopt(t->easy, (option), (value)))

static CURLcode setup(struct https *h, struct transfer *t)
{
	char url[SOURCE_URL_BYTES_MAX + sizeof(t->path) + 2];
	CURLcode r = CURLE_OK;

	snprintf(url, sizeof(url), "%s/%s", h->url, t->path);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PRIVATE, t);
	SET(CURLOPT_ERRORBUFFER, t->words);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, SOURCE_REDIRECTS_MAX);
	SET(CURLOPT_ACCEPT_ENCODING, "gzip");
	SET(CURLOPT_USERAGENT, "comity/" COMITY_VERSION);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS_MAX);
	SET(CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES_PER_SECOND);
	SET(CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS);
	SET(CURLOPT_TIMEOUT, FILE_SECONDS_MAX);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 0L); /* the log's key and the tree verify what comes */
	SET(CURLOPT_SSL_VERIFYHOST, 0L);
	SET(CURLOPT_CERTINFO, h->server_known ? 0L : 1L);
	if (h->pin[0] != '\0')
		SET(CURLOPT_PINNEDPUBLICKEY, h->pin);
	return r;
}

static void transfer_free(struct https *h, struct transfer *t)
{
	struct transfer **at = &h->transfers;

	while (*at != NULL && *at != t)
		at = &(*at)->next;
	if (*at == t)
		*at = t->next;
	if (t->easy != NULL) {
		(void)curl_multi_remove_handle(h->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	buf_release(&t->body);
	free(t);
}

static struct transfer *transfer_find(struct https *h, const char *path)
{
	struct transfer *t = h->transfers;

	while (t != NULL && strcmp(t->path, path) != 0)
		t = t->next;
	return t;
}

static struct transfer *transfer_begin(struct https *h, const char *path, size_t bytes_max, struct err *e)
{
	struct transfer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	snprintf(t->path, sizeof(t->path), "%s", path);
	buf_init(&t->body, bytes_max);
	t->easy = curl_easy_init();
	t->next = h->transfers;
	h->transfers = t;
	if (strlen(path) < sizeof(t->path) && t->easy != NULL && setup(h, t) == CURLE_OK &&
	    curl_multi_add_handle(h->multi, t->easy) == CURLM_OK)
		return t;
	transfer_free(h, t);
	(void)err_set(e, ERR_SYSTEM, REASON_SYSTEM, "the HTTP client does not take %s/%s", h->url, path);
	return NULL;
}

/* --- who was talked to ------------------------------------------------------------------------------ */

static bool spki_of_pem(const char *pem, uint8_t ret[static SHA256_BYTES])
{
	BIO *in = BIO_new_mem_buf(pem, -1);
	X509 *crt = in == NULL ? NULL : PEM_read_bio_X509(in, NULL, NULL, NULL);
	uint8_t *der = NULL;
	int len = crt == NULL ? -1 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(crt), &der);

	if (len > 0)
		sha256(bytes_from(der, (size_t)len), ret);
	OPENSSL_free(der);
	X509_free(crt);
	BIO_free(in);
	return len > 0;
}

static void server_note(struct https *h, CURL *easy)
{
	struct curl_certinfo *info = NULL;

	if (h->server_known || curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL || info->num_of_certs < 1)
		return;
	for (const struct curl_slist *l = info->certinfo[0]; l != NULL; l = l->next)
		if (strncmp(l->data, "Cert:", 5) == 0)
			h->server_known = spki_of_pem(l->data + 5, h->server);
}

bool source_https_server(const struct log_source *s, uint8_t ret[static SHA256_BYTES])
{
	const struct https *h = s->ctx;

	if (h->server_known)
		memcpy(ret, h->server, SHA256_BYTES);
	return h->server_known;
}

/* --- waiting ------------------------------------------------------------------------------------ */

static void collect(struct https *h)
{
	int left;

	for (const CURLMsg *msg; (msg = curl_multi_info_read(h->multi, &left)) != NULL;) {
		struct transfer *t = NULL;

		if (msg->msg != CURLMSG_DONE || curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t) != CURLE_OK || t == NULL)
			continue;
		t->code = msg->data.result;
		(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
		if (t->code == CURLE_OK)
			server_note(h, t->easy);
		(void)curl_multi_remove_handle(h->multi, t->easy);
		curl_easy_cleanup(t->easy);
		t->easy = NULL;
		t->done = true;
	}
}

static bool wait_for(struct https *h, struct transfer *t, struct err *e)
{
	for (int running; !t->done;) {
		if (h->stop != NULL && *h->stop != 0)
			return err_set(e, ERR_UNAVAILABLE, REASON_BUSY, "stopped while fetching %s/%s", h->url, t->path);
		if (h->until_us != 0 && clock_monotonic_us() > h->until_us)
			return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "%s is slow: its turn is over at %s", h->url, t->path);
		if (curl_multi_perform(h->multi, &running) != CURLM_OK)
			return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "the HTTP client failed at %s/%s", h->url, t->path);
		collect(h);
		if (!t->done && curl_multi_poll(h->multi, NULL, 0, POLL_MS, NULL) != CURLM_OK)
			return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "the HTTP client failed at %s/%s", h->url, t->path);
	}
	return true;
}

static bool judge(const struct https *h, const struct transfer *t, struct err *e)
{
	if (t->too_large)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "%s/%s is over its limit of %zu bytes", h->url, t->path, t->body.max);
	if (t->code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNKNOWN_KEY, "%s shows another key than the one that --pin names", h->url);
	if (t->code != CURLE_OK)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "%s/%s: %s", h->url, t->path,
			       t->words[0] != '\0' ? t->words : curl_easy_strerror(t->code));
	if (t->status == 404 || t->status == 410)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "%s has no %s", h->url, t->path);
	if (t->status != 200)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "%s/%s: HTTP status %ld", h->url, t->path, t->status);
	return true;
}

/* --- the source ------------------------------------------------------------------------------------ */

static bool https_fetch(void *ctx, const char *path, size_t bytes_max, struct buf *out, struct err *e)
{
	struct https *h = ctx;
	struct transfer *t;
	bool ok;

	/* A new round: what an earlier one left behind may be out of date. */
	while (bytes_is(bytes_of(path), "checkpoint") && h->transfers != NULL)
		transfer_free(h, h->transfers);
	t = transfer_find(h, path);
	if (t == NULL)
		t = transfer_begin(h, path, bytes_max, e);
	if (t == NULL)
		return false;
	ok = wait_for(h, t, e);
	if (ok && t->too_large && t->body.max < bytes_max) {
		transfer_free(h, t);
		t = transfer_begin(h, path, bytes_max, e);
		if (t == NULL)
			return false;
		ok = wait_for(h, t, e);
	}
	ok = ok && judge(h, t, e);
	if (ok && t->body.len > bytes_max)
		ok = err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "%s/%s is over its limit of %zu bytes", h->url, path, bytes_max);
	if (ok)
		buf_add(out, buf_bytes(&t->body));
	transfer_free(h, t);
	return ok && buf_check(out, path, e);
}

void source_https_until(const struct log_source *s, int64_t us)
{
	if (s->fetch == https_fetch)
		((struct https *)s->ctx)->until_us = us;
}

static void https_expect(void *ctx, const char *const *paths, size_t n)
{
	struct https *h = ctx;
	size_t files = 0, held = 0;
	int running;

	for (const struct transfer *t = h->transfers; t != NULL; t = t->next) {
		files++;
		held += t->body.len;
	}
	for (size_t i = 0; i < n && files < SOURCE_AHEAD_FILES_MAX && held < SOURCE_AHEAD_BYTES_MAX; i++)
		if (transfer_find(h, paths[i]) == NULL && transfer_begin(h, paths[i], SOURCE_AHEAD_FILE_BYTES_MAX, NULL) != NULL)
			files++;
	(void)curl_multi_perform(h->multi, &running);
	collect(h);
}

static void https_close(void *ctx)
{
	struct https *h = ctx;

	while (h->transfers != NULL)
		transfer_free(h, h->transfers);
	curl_multi_cleanup(h->multi);
	free(h);
}

bool source_https_open(const struct https_options *o, struct log_source *ret, struct err *e)
{
	struct bytes url = bytes_of(o->url);
	struct https *h;
	AUTO_BUF pin = { 0 };

	while (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	if (!bytes_starts(url, "https://") || url.len > SOURCE_URL_BYTES_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "\"%.200s\" is no https address", o->url);
	for (size_t i = 0; i < url.len; i++)
		if (url.at[i] <= ' ' || url.at[i] > '~')
			return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "the address has a character that addresses do not have");
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		abort();
	bytes_text(url, h->url, sizeof(h->url));
	h->stop = o->stop;
	if (o->pin != NULL) {
		buf_init(&pin, sizeof(h->pin));
		buf_add_base64(&pin, bytes_from(o->pin, SHA256_BYTES));
		snprintf(h->pin, sizeof(h->pin), "sha256//%s", buf_text(&pin));
	}
	h->multi = curl_multi_init();
	if (h->multi == NULL)
		abort();
	(void)curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, HOST_CONNECTIONS_MAX);
	*ret = (struct log_source){ .ctx = h, .fetch = https_fetch, .expect = https_expect, .close = https_close };
	return true;
}
