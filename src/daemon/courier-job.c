/* One job of the courier: how its request is set up, and where its answer goes. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/courier-internal.h"

/* --- the answer's body --------------------------------------------------------------------------- */

static void out_ready(void *ctx, short revents)
{
	struct job *j = ctx;
	struct courier *c = j->courier;

	loop_unwatch(c->o.loop, j->out_fd);
	j->out_waits = false;
	(void)curl_easy_pause(j->easy, CURLPAUSE_CONT);
	courier_finish(c);
}

static size_t body_to_fd(struct job *j, const char *data, size_t len)
{
	while (j->skip < len) {
		ssize_t put = write(j->out_fd, data + j->skip, len - j->skip);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN &&
		    loop_watch(j->courier->o.loop, j->out_fd, POLLOUT, out_ready, j, NULL)) {
			j->out_waits = true;
			return CURL_WRITEFUNC_PAUSE;
		}
		if (put <= 0) {
			snprintf(j->refused, sizeof(j->refused), "cannot write what came: %s", strerror(errno));
			return 0;
		}
		j->skip += (size_t)put;
		j->written += (uint64_t)put;
	}
	j->skip = 0;
	return len;
}

static size_t on_body(char *data, size_t one, size_t len, void *ctx)
{
	struct job *j = ctx;
	long status = 0;

	(void)curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
	if (j->out_fd >= 0 && (status == 200 || status == 206)) {
		if (status == 200 && j->m.range_from > 0) {
			snprintf(j->refused, sizeof(j->refused), "asked for a part, was sent the whole");
			return 0;
		}
		if (j->written - j->skip + len > j->m.bytes_max) {
			snprintf(j->refused, sizeof(j->refused), "the answer is over its limit");
			return 0;
		}
		return body_to_fd(j, data, len);
	}
	if (j->answer.len + len > j->m.bytes_max) {
		snprintf(j->refused, sizeof(j->refused), "the answer is over its limit");
		return 0;
	}
	buf_add(&j->answer, bytes_from(data, len));
	return buf_ok(&j->answer) ? len : 0;
}

/* A part that is not the one asked for would be joined in the wrong place. */
static size_t on_header(char *data, size_t one, size_t len, void *ctx)
{
	static const char name[] = "content-range:";
	struct job *j = ctx;
	char want[64];

	if (j->m.range_from == 0 || len < sizeof(name) || strncasecmp(data, name, sizeof(name) - 1) != 0)
		return len;
	snprintf(want, sizeof(want), " bytes %llu-", (unsigned long long)j->m.range_from);
	if (len < sizeof(name) - 1 + strlen(want) || strncasecmp(data + sizeof(name) - 1, want, strlen(want)) != 0) {
		long status = 0;

		(void)curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
		if (status == 206) {
			snprintf(j->refused, sizeof(j->refused), "was sent another part than asked for");
			return 0;
		}
	}
	return len;
}

/* --- setting a job up -------------------------------------------------------------------------- */

/* Sticky: options are set in a row and asked about once. */
#define SET(option, value) (r = r != CURLE_OK ? r : curl_easy_setopt(j->easy, (option), (value)))

static CURLcode setup_tls(struct job *j)
{
	struct courier *c = j->courier;
	struct curl_blob key = { (void *)(uintptr_t)c->o.key_pem.at, c->o.key_pem.len, CURL_BLOB_NOCOPY };
	struct curl_blob cert = { (void *)(uintptr_t)c->o.cert_pem.at, c->o.cert_pem.len, CURL_BLOB_NOCOPY };
	char pin[64] = "sha256//";
	CURLcode r = CURLE_OK;
	AUTO_BUF base64 = { 0 };

	buf_init(&base64, sizeof(pin));
	buf_add_base64(&base64, BYTES_ARRAY(j->m.pin));
	snprintf(pin + 8, sizeof(pin) - 8, "%s", buf_text(&base64));
	if (!j->m.any_server)
		SET(CURLOPT_PINNEDPUBLICKEY, pin);
	SET(CURLOPT_SSL_VERIFYPEER, 0L); /* no chain, no name: the pin */
	SET(CURLOPT_SSL_VERIFYHOST, 0L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L); /* each connection shows its key */
	SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
	if (j->m.show_certificate) {
		SET(CURLOPT_SSLKEY_BLOB, &key);
		SET(CURLOPT_SSLKEYTYPE, "PEM");
		SET(CURLOPT_SSLCERT_BLOB, &cert);
		SET(CURLOPT_SSLCERTTYPE, "PEM");
	}
	return r;
}

static CURLcode setup_request(struct job *j)
{
	CURLcode r = CURLE_OK;
	char text[COURIER_URL_BYTES_MAX + 1];

	snprintf(text, sizeof(text), "%.*s", (int)j->m.url.len, (const char *)j->m.url.at);
	SET(CURLOPT_URL, text);
	if (j->m.post) {
		snprintf(text, sizeof(text), "Content-Type: %.*s", (int)j->m.content_type.len,
			 (const char *)j->m.content_type.at);
		j->headers = curl_slist_append(curl_slist_append(NULL, "Expect:"), text);
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, j->m.body.at == NULL ? (const void *)"" : j->m.body.at);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)j->m.body.len);
		SET(CURLOPT_HTTPHEADER, j->headers);
	} else if (j->m.range_from > 0) {
		snprintf(text, sizeof(text), "%llu-", (unsigned long long)j->m.range_from);
		SET(CURLOPT_RANGE, text);
	}
	return r;
}

static CURLcode setup(struct job *j)
{
	CURLcode r = CURLE_OK;

	SET(CURLOPT_PRIVATE, j);
	SET(CURLOPT_ERRORBUFFER, j->words);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)j->m.timeout_ms);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, j);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, j);
	if (j->out_fd >= 0)
		SET(CURLOPT_BUFFERSIZE, 256L * KIB);
	r = r != CURLE_OK ? r : setup_tls(j);
	return r != CURLE_OK ? r : setup_request(j);
}

/* Bytes that would end a header line or a URL early are not the keeper's to send. */
static bool plain(struct bytes in)
{
	for (size_t i = 0; i < in.len; i++) {
		if (in.at[i] < ' ' || in.at[i] > '~')
			return false;
	}
	return true;
}

bool job_setup(struct job *j, const char **ret_why)
{
	if (!plain(j->m.url) || !plain(j->m.content_type) || !bytes_starts(j->m.url, "https://")) {
		*ret_why = "this is no https address";
		return false;
	}
	if (setup(j) == CURLE_OK)
		return true;
	*ret_why = "the HTTP client does not take this request";
	return false;
}
