/* The load of bench/letters: real requests, each with its own id and with both approvals by key file, handed to
 * a node by `statement-send` as another system of the authority would. Ids, hashes and signatures of all are
 * made before the clock starts (176 bytes a request); while it runs, the bytes of the calls are put together
 * from them, which costs little beside a node. The next call leaves when fewer than IN_FLIGHT letters wait
 * for their receipts.
 *   letters-load SOCKET PAYLOAD ID TYPE KIND COUNT SECONDS IN_FLIGHT (NAME ROLE NOTE KEYFILE)x2 */
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "seal/approval.h"

#define BATCH LETTER_BATCH_MAX
#define APPROVERS 2
#define POLL_NS 1000000L

struct prepared {
	uint8_t id[ID_BYTES], hash[SHA256_BYTES], signatures[APPROVERS][SIGNATURE_BYTES];
};

/* An approval is the same text for every request but for the hash that it names. */
struct approver {
	struct sign_key *key;
	struct buf payload;
	size_t hash_at;
};

struct load {
	const char *type, *kind;
	struct buf payload;
	size_t id_at;
	struct approver approvers[APPROVERS];
	CURL *curl;
	const char *socket;
	struct buf body, answer, scratch, envelope;
};

static void must(bool ok, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "letters-load: %s\n", e->text);
	exit(1);
}

static void must_num(const char *text, long *ret)
{
	char *end;

	*ret = strtol(text, &end, 10);
	if (*end != '\0' || *ret < 0) {
		fprintf(stderr, "letters-load: %s is no number\n", text);
		exit(2);
	}
}

/* --- before the clock starts ------------------------------------------------------------------- */

static size_t find(struct bytes in, const char *text)
{
	const void *at = memmem(in.at, in.len, text, strlen(text));

	if (at == NULL) {
		fprintf(stderr, "letters-load: the payload does not hold %s\n", text);
		exit(2);
	}
	return (size_t)((const uint8_t *)at - in.at);
}

static void approver_read(struct approver *a, char **argv)
{
	AUTO_ENVELOPE v = { 0 };
	AUTO_BUF file, envelope;
	uint8_t hash[SHA256_BYTES] = { 0 };
	enum approval_role role;
	struct err e = { 0 };

	buf_init(&file, 4 * KIB);
	buf_init(&envelope, ENVELOPE_BYTES_MAX);
	buf_init(&a->payload, ENVELOPE_BYTES_MAX);
	must(approval_role_find(bytes_of(argv[1]), &role) || err_set(&e, ERR_INPUT, REASON_BAD_ARGUMENT, "no role %s", argv[1]), &e);
	must(file_read(AT_FDCWD, argv[3], &file, &e) && sign_key_parse(buf_bytes(&file), &a->key, &e) &&
	     approval_make(a->key, argv[0], role, argv[2], hash, clock_now_ms(), &envelope, &e) &&
	     envelope_parse(buf_bytes(&envelope), &v, &e), &e);
	buf_add(&a->payload, buf_bytes(&v.payload));
	a->hash_at = find(buf_bytes(&a->payload), "\"hash\":\"") + strlen("\"hash\":\"");
}

static void approval_of(struct approver *a, const uint8_t *hash)
{
	char hex[2 * SHA256_BYTES + 1];

	hex_write(bytes_from(hash, SHA256_BYTES), hex);
	memcpy(a->payload.at + a->hash_at, hex, 2 * SHA256_BYTES);
}

static void payload_of(struct load *l, const uint8_t *id)
{
	char hex[2 * ID_BYTES + 1];

	hex_write(bytes_from(id, ID_BYTES), hex);
	memcpy(l->payload.at + l->id_at, hex, 2 * ID_BYTES);
}

static void prepare(struct load *l, struct prepared *p)
{
	chance_fill(p->id, sizeof(p->id));
	payload_of(l, p->id);
	pae_hash(bytes_of(l->type), buf_bytes(&l->payload), p->hash);
	for (size_t i = 0; i < APPROVERS; i++) {
		approval_of(&l->approvers[i], p->hash);
		buf_clear(&l->scratch);
		pae_write(bytes_of(APPROVAL_TYPE), buf_bytes(&l->approvers[i].payload), &l->scratch);
		sign_key_sign(l->approvers[i].key, buf_bytes(&l->scratch), p->signatures[i]);
	}
}

/* --- while it runs ------------------------------------------------------------------------------ */

static void add_approval(struct load *l, struct approver *a, const uint8_t *hash, const uint8_t *signature)
{
	struct envelope_signature s;
	struct err e = { 0 };

	approval_of(a, hash);
	key_id_write(sign_key_public(a->key), s.keyid);
	memcpy(s.sig, signature, sizeof(s.sig));
	buf_clear(&l->envelope);
	must(envelope_write_of(bytes_of(APPROVAL_TYPE), buf_bytes(&a->payload), &s, 1, &l->envelope, &e), &e);
	for (struct bytes rest = buf_bytes(&l->envelope); rest.len > 0;) {
		size_t plain = bytes_find(rest, '"');
		buf_add(&l->body, bytes_slice(rest, 0, plain));
		if (plain < rest.len)
			buf_add_text(&l->body, "\\\"");
		rest = bytes_slice(rest, plain + 1, rest.len);
	}
}

static void body_of(struct load *l, const struct prepared *p, size_t n)
{
	buf_clear(&l->body);
	buf_add_text(&l->body, "{\"items\":[");
	for (size_t i = 0; i < n; i++) {
		buf_add_format(&l->body, "%s{\"approvals\":[\"", i > 0 ? "," : "");
		add_approval(l, &l->approvers[0], p[i].hash, p[i].signatures[0]);
		buf_add_text(&l->body, "\",\"");
		add_approval(l, &l->approvers[1], p[i].hash, p[i].signatures[1]);
		buf_add_format(&l->body, "\"],\"kind\":\"%s\",\"payload\":\"", l->kind);
		payload_of(l, p[i].id);
		buf_add_base64(&l->body, buf_bytes(&l->payload));
		buf_add_text(&l->body, "\"}");
	}
	buf_add_text(&l->body, "]}");
}

static size_t take(char *at, size_t size, size_t n, void *ctx)
{
	struct load *l = ctx;

	buf_add(&l->answer, bytes_from(at, size * n));
	return buf_ok(&l->answer) ? size * n : 0;
}

/* Sends n; says how many letters wait for their receipts. */
static long send_some(struct load *l, const struct prepared *p, size_t n)
{
	static const char waiting[] = "\"waiting\":";
	CURLcode code;
	long status = 0;

	body_of(l, p, n);
	buf_clear(&l->answer);
	curl_easy_setopt(l->curl, CURLOPT_POSTFIELDS, l->body.at);
	curl_easy_setopt(l->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)l->body.len);
	code = curl_easy_perform(l->curl);
	curl_easy_getinfo(l->curl, CURLINFO_RESPONSE_CODE, &status);
	const char *text = buf_text(&l->answer), *at = strstr(text, waiting);
	if (code != CURLE_OK || status != 200 || at == NULL || strstr(text, "\"ok\":false") != NULL) {
		fprintf(stderr, "letters-load: %s (status %ld): %.2000s\n", curl_easy_strerror(code), status, text);
		exit(1);
	}
	return strtol(at + strlen(waiting), NULL, 10);
}

static void pause_a_little(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = POLL_NS }, NULL);
}

static void run(struct load *l, const struct prepared *all, size_t count, int64_t us, long in_flight)
{
	int64_t begin = clock_monotonic_us(), end = begin + us;
	size_t sent = 0;
	long waiting = 0;

	printf("begin\n");
	fflush(stdout);
	while (sent + BATCH <= count && clock_monotonic_us() < end) {
		bool full = waiting > in_flight;
		waiting = send_some(l, all + sent, full ? 0 : BATCH);
		if (full)
			pause_a_little();
		else
			sent += BATCH;
	}
	waiting = send_some(l, all, 0);
	printf("end sent=%zu receipts=%zu us=%lld%s\n", sent, sent - (size_t)waiting, (long long)(clock_monotonic_us() - begin),
	       sent + BATCH > count ? " all-used" : "");
	fflush(stdout);
	while (waiting > 0 && clock_monotonic_us() < end + 30 * INT64_C(1000000)) {
		pause_a_little();
		waiting = send_some(l, all, 0);
	}
	printf("drained waiting=%ld\n", waiting);
}

static void client_begin(struct load *l)
{
	struct curl_slist *headers = curl_slist_append(curl_slist_append(NULL, "Content-Type: application/json"), "Expect:");

	l->curl = curl_easy_init();
	if (l->curl == NULL || headers == NULL)
		abort();
	curl_easy_setopt(l->curl, CURLOPT_URL, "http://comity/api/statement-send");
	curl_easy_setopt(l->curl, CURLOPT_UNIX_SOCKET_PATH, l->socket);
	curl_easy_setopt(l->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(l->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(l->curl, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(l->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(l->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(l->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(l->curl, CURLOPT_WRITEDATA, l);
}

int main(int argc, char **argv)
{
	struct load l = { 0 };
	struct err e = { 0 };
	long count, seconds, in_flight;
	int64_t begin = clock_monotonic_us();

	if (argc != 9 + 4 * APPROVERS) {
		fprintf(stderr, "letters-load is run by bench/letters\n");
		return 2;
	}
	l.socket = argv[1];
	l.type = argv[4];
	l.kind = argv[5];
	must_num(argv[6], &count);
	must_num(argv[7], &seconds);
	must_num(argv[8], &in_flight);
	buf_init(&l.payload, STATEMENT_BYTES_MAX);
	buf_init(&l.body, 4 * MIB);
	buf_init(&l.answer, MIB);
	buf_init(&l.scratch, ENVELOPE_BYTES_MAX);
	buf_init(&l.envelope, ENVELOPE_BYTES_MAX);
	must(file_read(AT_FDCWD, argv[2], &l.payload, &e), &e);
	l.id_at = find(buf_bytes(&l.payload), argv[3]);
	for (int i = 0; i < APPROVERS; i++)
		approver_read(&l.approvers[i], argv + 9 + 4 * i);
	struct prepared *all = calloc((size_t)count + 1, sizeof(*all));
	if (all == NULL)
		abort();
	for (long i = 0; i < count; i++)
		prepare(&l, &all[i]);
	printf("prepared %ld us=%lld bytes=%zu\n", count, (long long)(clock_monotonic_us() - begin), l.payload.len);
	client_begin(&l);
	run(&l, all, (size_t)count, seconds * 1000000, in_flight);
	return 0;
}
