/* One handle, one connection, one question at a time. Answers are held to a limit; what the node says went
 * wrong is passed on in its own words, with control characters taken out. */
#include "cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

/* package-data of a large case: a thousand acts with proofs, and the register. */
#define ANSWER_BYTES_MAX (64 * MIB)
/* A verb waits for a commit and perhaps for the signer; longer is a node that hangs. */
#define VERB_SECONDS_MAX 120L
#define URL_BYTES_MAX 4096

struct client {
	CURL *curl;
	char home[PATH_MAX];
	char socket[PATH_MAX];
	int run_fd; /* where the socket's own path is too long for the kernel */
};

bool home_of(const struct args *a, const char **ret, struct err *e)
{
	const char *home = args_value(a, "home");

	if (home == NULL)
		home = getenv("COMITY_HOME");
	if (home == NULL || home[0] == '\0')
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "which home? give --home DIR or set COMITY_HOME");
	*ret = home;
	return true;
}

/* A socket's name has room for 107 bytes; a longer one is reached through its folder's descriptor. */
static bool find_socket(struct client *c, struct err *e)
{
	size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);
	int len = snprintf(c->socket, sizeof(c->socket), "%.4000s/run/comity.sock", c->home);

	if (len > 0 && (size_t)len < room)
		return true;
	c->socket[len - (int)strlen("/comity.sock")] = '\0';
	c->run_fd = open(c->socket, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->run_fd < 0)
		return err_system(e, "cannot open %s", c->socket);
	snprintf(c->socket, sizeof(c->socket), "/proc/self/fd/%d/comity.sock", c->run_fd);
	return true;
}

bool client_open_home(const char *home, struct client **ret, struct err *e)
{
	AUTO_CLIENT *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->run_fd = -1;
	if (strlen(home) >= sizeof(c->home) - 32)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "the path of the home is too long");
	snprintf(c->home, sizeof(c->home), "%s", home);
	if (!find_socket(c, e))
		return false;
	c->curl = curl_easy_init();
	if (c->curl == NULL)
		abort();
	*ret = c;
	c = NULL;
	return true;
}

bool client_open(const struct args *a, struct client **ret, struct err *e)
{
	const char *home;

	return home_of(a, &home, e) && client_open_home(home, ret, e);
}

void client_free(struct client *c)
{
	if (c == NULL)
		return;
	curl_easy_cleanup(c->curl);
	fd_close_at(&c->run_fd);
	free(c);
}

void client_free_at(struct client **c)
{
	client_free(*c);
	*c = NULL;
}

/* --- one exchange ------------------------------------------------------------------------------ */

/* Where an answer goes: into memory, or (only when it is a good one) into a descriptor. */
struct sink {
	CURL *curl;
	struct buf *memory;
	int fd;
	struct progress *progress;
	struct err failure; /* of writing */
};

static bool is_success(long status)
{
	return status >= 200 && status < 300;
}

static size_t take_answer(char *at, size_t size, size_t n, void *ctx)
{
	struct sink *s = ctx;
	long status = 0;

	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (s->fd < 0 || !is_success(status)) {
		buf_add(s->memory, bytes_from(at, size * n));
		return buf_ok(s->memory) ? size * n : 0;
	}
	if (!file_write_all(s->fd, bytes_from(at, size * n), &s->failure))
		return 0;
	progress_add(s->progress, size * n);
	return size * n;
}

static enum err_kind kind_of_status(long status)
{
	for (int k = ERR_NONE + 1; k < ERR_KIND_COUNT; k++)
		if (err_http_status((enum err_kind)k) == status)
			return (enum err_kind)k;
	return status >= 400 && status < 500 ? ERR_INPUT : ERR_SYSTEM;
}

static bool problem(long status, struct bytes body, struct err *e)
{
	enum reason reason = REASON_NONE;
	AUTO_JSON *v = NULL;
	AUTO_BUF words = { 0 };

	if (!json_parse(body, "the answer", &v, NULL) || !json_is_object(v))
		return err_set(e, kind_of_status(status), REASON_SYSTEM, "the node answered with HTTP status %ld", status);
	(void)reason_find(json_text(v, "reason"), &reason);
	buf_init(&words, 4 * KIB);
	text_printable(json_bytes(v, "detail"), &words);
	if (words.len == 0)
		text_printable(json_bytes(v, "title"), &words);
	return err_set(e, kind_of_status(status), reason, "%s", buf_text(&words));
}

static bool perform(struct client *c, struct sink *s, struct curl_slist *headers, struct err *e)
{
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;
	long status = 0;

	s->curl = c->curl;
	(void)err_set(&s->failure, ERR_NONE, REASON_NONE, "%s", "");
	curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket);
	curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(c->curl);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_reset(c->curl);
	curl_slist_free_all(headers);
	if (s->failure.kind != ERR_NONE)
		return err_set(e, s->failure.kind, s->failure.reason, "%s", s->failure.text);
	if (!buf_ok(s->memory))
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "the node's answer is larger than %u MiB", ANSWER_BYTES_MAX / MIB);
	/* A node that refuses an upload early answers and hangs up: the answer says more than the error. */
	if (status >= 400 && s->memory->len > 0)
		return problem(status, buf_bytes(s->memory), e);
	if (code == CURLE_COULDNT_CONNECT)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE,
			       "no node is running for the home %s (comity serve --home %s starts it)", c->home, c->home);
	if (code != CURLE_OK)
		return err_set(e, ERR_UNAVAILABLE, REASON_UNAVAILABLE, "the node of %s did not answer: %s", c->home,
			       why[0] != '\0' ? why : curl_easy_strerror(code));
	return is_success(status) || problem(status, buf_bytes(s->memory), e);
}

static bool answer_object(struct buf *answer, json_t **ret, struct err *e)
{
	AUTO_JSON *v = NULL;

	if (!json_parse(buf_bytes(answer), "the node's answer", &v, e))
		return false;
	if (!json_is_object(v))
		return err_set(e, ERR_SYSTEM, REASON_MALFORMED, "the node's answer is no object");
	*ret = v;
	v = NULL;
	return true;
}

static struct curl_slist *header(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	if (longer == NULL)
		abort();
	return longer;
}

bool client_call(struct client *c, const char *verb, json_t *in, json_t **ret, struct err *e)
{
	AUTO_JSON *taken = in != NULL ? in : json_object();
	char url[URL_BYTES_MAX];
	AUTO_BUF body = { 0 }, answer = { 0 };
	struct sink s = { .memory = &answer, .fd = -1 };

	buf_init(&body, REGISTER_BYTES_MAX * 2);
	buf_init(&answer, ANSWER_BYTES_MAX);
	if (!json_write_canonical(taken, &body, e) || !buf_check(&body, verb, e))
		return err_note(e, "%s", verb);
	snprintf(url, sizeof(url), "http://comity/api/%s", verb);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body.at);
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, VERB_SECONDS_MAX);
	return perform(c, &s, header(header(NULL, "Content-Type: application/json"), "Expect:"), e) &&
	       answer_object(&answer, ret, e);
}

/* --- bulk -------------------------------------------------------------------------------------- */

struct source {
	const struct client_upload *u;
	uint64_t left;
	bool short_read;
};

static size_t give_content(char *at, size_t size, size_t n, void *ctx)
{
	struct source *s = ctx;
	size_t want = size * n;
	ssize_t got;

	if (want > s->left)
		want = (size_t)s->left;
	if (want == 0)
		return 0;
	do
		got = read(s->u->fd, at, want);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		s->short_read = true;
		return CURL_READFUNC_ABORT;
	}
	s->left -= (size_t)got;
	progress_add(s->u->progress, (uint64_t)got);
	return (size_t)got;
}

static void percent(const char *text, struct buf *out)
{
	for (struct bytes b = bytes_of(text); b.len > 0; b = bytes_slice(b, 1, b.len)) {
		uint8_t v = b.at[0];
		bool plain = (v >= 'a' && v <= 'z') || (v >= 'A' && v <= 'Z') || (v >= '0' && v <= '9') || v == '-' ||
			     v == '.' || v == '_' || v == '~';
		if (plain)
			buf_add_u8(out, v);
		else
			buf_add_format(out, "%%%02X", v);
	}
}

bool client_upload(struct client *c, const struct client_upload *u, json_t **ret, struct err *e)
{
	struct source source = { .u = u, .left = u->bytes };
	AUTO_BUF url = { 0 }, answer = { 0 };
	struct sink s = { .memory = &answer, .fd = -1 };

	buf_init(&url, URL_BYTES_MAX);
	buf_init(&answer, ANSWER_BYTES_MAX);
	buf_add_format(&url, "http://comity/exhibits/%s?name=", u->request);
	percent(u->name, &url);
	buf_add_text(&url, "&media=");
	percent(u->media, &url);
	buf_add_format(&url, "&personal=%d", u->personal ? 1 : 0);
	if (!buf_check(&url, "the name of the file", e))
		return false;
	curl_easy_setopt(c->curl, CURLOPT_URL, buf_text(&url));
	curl_easy_setopt(c->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)u->bytes);
	curl_easy_setopt(c->curl, CURLOPT_UPLOAD_BUFFERSIZE, 512L * KIB);
	curl_easy_setopt(c->curl, CURLOPT_READFUNCTION, give_content);
	curl_easy_setopt(c->curl, CURLOPT_READDATA, &source);
	/* The node says first whether it takes this at all: a refusal while the content is under way would get lost. */
	curl_easy_setopt(c->curl, CURLOPT_EXPECT_100_TIMEOUT_MS, VERB_SECONDS_MAX * 1000L);
	if (!perform(c, &s, header(header(NULL, "Content-Type: application/octet-stream"), "Expect: 100-continue"), e))
		return source.short_read ? err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s became shorter while it was read", u->name) : false;
	return answer_object(&answer, ret, e);
}

bool client_download(struct client *c, const char *exhibit, int out_fd, struct progress *p, struct err *e)
{
	char url[URL_BYTES_MAX];
	AUTO_BUF answer = { 0 };
	struct sink s = { .memory = &answer, .fd = out_fd, .progress = p };

	buf_init(&answer, MIB);
	snprintf(url, sizeof(url), "http://comity/exhibits/%s/content", exhibit);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_BUFFERSIZE, 256L * KIB);
	return perform(c, &s, NULL, e);
}
